"""Registry of what is not known about seat demand: the numbers that ``zjsim hedge`` draws."""

from __future__ import annotations

from zjsim.tables.schema import Column, Registry, basis_column, source_column


def _share(name: str, zh: str, en: str, help_zh: str, help_en: str) -> Column:
    return Column(name, "number", zh, en, unit="share", minimum=0, maximum=1, help_zh=help_zh, help_en=help_en)


DEMAND_UNCERTAINTIES = Registry(
    "demand_uncertainties",
    "学位需求的不确定因素",
    "Uncertainties of seat demand",
    key=("uncertainty_id",),
    columns=(
        Column("uncertainty_id", "code", "编号", "Uncertainty", pattern=r"^[a-z][a-z0-9_]*$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column(
            "acts_on",
            "choice",
            "作用对象",
            "Acts on",
            choices=(
                "births",
                "local_entry",
                "migrant_stock",
                "migrant_growth",
                "net_transfers",
                "guaranteed_share",
            ),
            help_zh="出生人数、本地入学、随迁子女现有人数、年增减、非起始年级净转入、应保障的比例。",
            help_en="Births, local entrants, migrant children now, their growth, net transfers, share with a claim.",
        ),
        Column(
            "birth_year",
            "integer",
            "出生年份",
            "Year of birth",
            required=False,
            minimum=2020,
            maximum=2040,
            help_zh="仅用于出生人数：该年出生的儿童六年后入一年级。",
            help_en="For births only: children born in it enter grade 1 six years later.",
        ),
        Column("low", "number", "下限", "Low", minimum=0),
        Column("mode", "number", "最可能值", "Mode", minimum=0),
        Column("high", "number", "上限", "High", minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        _share(
            "share_province",
            "全省共同部分",
            "Part of the province",
            "方差中全省共同的份额：不同市的两县的相关系数。",
            "Share of the variance that is the province's: the correlation of two counties of different cities.",
        ),
        _share(
            "share_city",
            "全市共同部分",
            "Part of the city",
            "加上全省部分，即同市两县的相关系数；其余为本县部分。",
            "With the province's part, the correlation of two counties of one city; the rest is the county's own.",
        ),
        _share(
            "persistence",
            "年际相关",
            "Correlation from year to year",
            "每年一值的因素与上一年的相关系数。",
            "Of a number that has a value of its own every year.",
        ),
        Column("note_zh", "text", "说明", "Note in Chinese", required=False),
        Column("note_en", "text", "英文说明", "Note", required=False),
        source_column(),
        basis_column(),
    ),
    help_zh="学位需求推算中不能由公开数据确定的数：相对于基准推算的倍数，三角分布，方差分全省、全市、本县三部分。",
    help_en="Numbers behind seat demand that public data do not settle, as factors on the derived path: triangular, "
    "with parts of the variance of province, city and county.",
)

REGISTRIES: tuple[Registry, ...] = (DEMAND_UNCERTAINTIES,)
