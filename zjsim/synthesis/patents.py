"""Patents, transfer staff and contracts by institution: only provincial and national totals are public."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from zjsim.synthesis.proportional import largest_remainder
from zjsim.synthesis.services import institution_weight, modes

Tables = Mapping[str, pd.DataFrame]

INVENTORIED_2024_03, SHARE_2024_03 = 46_000, 0.504
"""Patents inventoried by 18 March 2024 and their share of the stock: source ``src_patent_inventory_2024``."""

STOCK = round(INVENTORIED_2024_03 / SHARE_2024_03)
"""Patents in force (91,270): the published number over the published share; rounding leaves 90,200 to 92,400."""

TRANSFER_STAFF_PER_INSTITUTION = 18_248 / 4_059
"""Full-time transfer staff over reporting institutions, nation, 2024: source ``src_transfer_report_2025``."""

GRADED_DISCIPLINES_THAT_DOUBLE = 10
"""An institution with ten graded disciplines has twice the patents of its like without (judgement)."""


def patents(tables: Tables, teams: pd.DataFrame) -> pd.DataFrame:
    """Stock, inventoried patents, staff and other contracts by institution (registry ``patents``).

    Stock: by kind × category × (1 + graded disciplines ÷ 10). Inventoried at the as-of date: the same share
    everywhere (parameter TP03). Staff: the national mean per institution, half of it equally, half by patents.
    Contracts of development, consulting and service: the national mean per institution, by teachers
    (``teams`` = registry ``service_teams``). Pace of the inventory, promotion, trials, lists and empowerment: the
    provincial numbers, by patents.
    """
    universities = tables["universities"].reset_index(drop=True)
    disciplines = tables["disciplines"]
    graded = disciplines[disciplines["grade"] != ""].groupby("moe_code").size()
    bonus = 1 + graded.reindex(universities["moe_code"], fill_value=0).to_numpy() / GRADED_DISCIPLINES_THAT_DOUBLE
    stock = largest_remainder(institution_weight(tables, "patent_weight") * bonus, STOCK)
    own, service = modes(tables["patent_parameters"]), modes(tables["service_parameters"])
    count = len(universities)
    staff = TRANSFER_STAFF_PER_INSTITUTION * (0.5 + 0.5 * count * stock / stock.sum())
    teachers = teams.set_index("moe_code")["teachers"].reindex(universities["moe_code"]).to_numpy()
    contracts = count * service["SP05"] * service["SP06"] * service["SP07"] * teachers / teachers.sum()
    share = stock / stock.sum()
    found = pd.DataFrame(
        {
            "moe_code": universities["moe_code"],
            "stock": stock,
            "inventoried": np.floor(stock * own["TP03"]).astype(np.int64),
            "transfer_staff": np.round(staff, 2),
            "other_contracts_per_year": np.round(contracts, 1),
            "inventory_per_month": np.round(modes(tables["process_parameters"])["PP54"] * share, 2),
            "promoted_per_year": np.round(own["TP11"] * share, 3),
            "trials_per_year": np.round(own["TP13"] * own["TP14"] * share, 4),
            "listed": np.round(own["TP15"] * own["TP14"] * share, 2),
            "empowered_per_year": np.round(own["TP20"] * share, 4),
        }
    )
    found = found.assign(source_id="method_patents", basis="synthetic")
    return found.sort_values("moe_code", ignore_index=True)
