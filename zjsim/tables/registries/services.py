"""Registries of enterprise service: the firms to serve, the staff of each institution, and the numbers of the process.

The weights by kind and category of institution are shared with the patents: staff and patents by institution are not
public, so both are split from provincial totals by the same stated rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zjsim.tables.registries.institutions import CATEGORIES, MOE_CODE
from zjsim.tables.registries.parameters import PROCESS_PARAMETERS
from zjsim.tables.schema import Column, Registry, basis_column, source_column

FIRM_CLASSES = ("little_giant", "chain_leader", "heritage", "specialised_sme", "other")
"""Kinds of firm the plan names (M006, M095, M145), in the order of the registry."""

INSTITUTION_KINDS = (
    "double_first_class",
    "provincial_key",
    "public_undergraduate",
    "private_undergraduate",
    "sino_foreign",
    "double_high_vocational",
    "public_vocational",
    "private_vocational",
)
"""Kinds of institution by which staff and patents are weighted; private includes independent colleges."""


_SHARED = (
    "parameter_id",
    "process",
    "name_zh",
    "name_en",
    "unit",
    "unit_zh",
    "low",
    "mode",
    "high",
    "distribution",
    "role",
)


def parameter_columns(pattern: str, process: str) -> tuple[Column, ...]:
    """The columns of ``process_parameters`` for a theme's own parameters, and why each range was chosen."""
    changes: dict[str, dict[str, Any]] = {"parameter_id": {"pattern": pattern}, "process": {"choices": (process,)}}
    shared = [replace(PROCESS_PARAMETERS.by_name[name], **changes.get(name, {})) for name in _SHARED]
    why = [
        Column("reason_zh", "text", "理由", "Reason in Chinese"),
        Column("reason_en", "text", "理由（英文）", "Reason"),
    ]
    return (*shared, *why, source_column(), basis_column())


FIRM_CLASS_TABLE = Registry(
    "firm_classes",
    "企业类别",
    "Classes of firms",
    key=("firm_class",),
    columns=(
        Column("firm_class", "choice", "企业类别", "Firm class", choices=FIRM_CLASSES),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column(
            "priority",
            "integer",
            "服务次序",
            "Priority",
            minimum=1,
            maximum=9,
            help_zh="数字小者先服务；同级按先后。",
            help_en="The smaller number is served first; equals in order of arrival.",
        ),
        Column("is_key_firm", "boolean", "计入重点企业", "Counts as a key firm", help_zh="M095", help_en="M095"),
        Column("firms_total", "integer", "全省企业数", "Firms in the province", unit="firms", minimum=0),
        Column(
            "request_weight",
            "number",
            "需求权重",
            "Request weight",
            minimum=0,
            help_zh="一家企业提出服务需求的相对频率，一般企业为 1（判断）。",
            help_en="How often a firm asks for a service, an ordinary firm being 1 (judgement).",
        ),
        Column("measures", "code", "条目", "Measures", ref="measures.measure_id", separator=";"),
        source_column(),
        basis_column(),
    ),
    help_zh="五类企业的总数、服务次序和需求权重。依据一栏说明企业总数；次序按 M145，权重为判断。",
    help_en="Totals, priority and weight of five classes. The basis speaks of the total; the order follows M145, "
    "the weights are judgement.",
)

ENTERPRISES = Registry(
    "enterprises",
    "待服务企业",
    "Enterprises to serve",
    key=("city_code", "firm_class"),
    columns=(
        Column("city_code", "code", "设区市", "City", ref="cities.city_code"),
        Column("firm_class", "choice", "企业类别", "Firm class", choices=FIRM_CLASSES, ref="firm_classes.firm_class"),
        Column("firms", "integer", "企业数", "Firms", unit="firms", minimum=0),
        Column(
            "requests_per_firm_year",
            "number",
            "每家每年首次需求",
            "First requests per firm and year",
            unit="requests per firm-year",
            minimum=0,
            help_zh="不含重复服务；由全国合同数推算的全省总量按权重分摊。",
            help_en="Without repeat services; the provincial total derived from national contracts, shared by weight.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="设区市 × 企业类别。小巨人按第六批分布推算，老字号按公布的城市分布，其余为合成。",
    help_en="City × class. Little giants follow the published split of batch 6, heritage firms the published brands; "
    "the rest is synthetic.",
)

SERVICE_TEAMS = Registry(
    "service_teams",
    "高校服务团队",
    "Service teams of institutions",
    key=("moe_code",),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution", pattern=MOE_CODE, ref="institution_staff.moe_code"),
        Column("teachers", "integer", "专任教师", "Full-time teachers", unit="persons", minimum=0),
        Column("teams", "integer", "服务团队", "Service teams", unit="teams", minimum=0),
        source_column(),
        basis_column(),
    ),
    help_zh="分校教职工未公开：由全省总数按学校类别权重合成。团队数 = 教师 × 参与比例 ÷ 团队人数。",
    help_en="Staff by institution is not public: provincial totals split by weights. Teams = teachers × share that "
    "takes part ÷ persons in a team.",
)

TEAM_DEPLOYMENT = Registry(
    "team_deployment",
    "服务范围",
    "Where teams serve",
    key=("moe_code", "city_code"),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution", pattern=MOE_CODE, ref="service_teams.moe_code"),
        Column("city_code", "code", "设区市", "City served", ref="cities.city_code"),
        Column("share", "number", "份额", "Share of its services", unit="share", minimum=0, maximum=1),
        source_column(),
        basis_column(),
    ),
    help_zh="每所学校的服务在各设区市的份额，合计为 1；本地份额见 SP22，其余按外地企业需求分摊。",
    help_en="Share of an institution's services by city, adding up to 1: the home share is SP22, the rest follows "
    "the demand of the other cities.",
)

INSTITUTION_WEIGHTS = Registry(
    "institution_weights",
    "学校类别权重",
    "Weights of kinds of institution",
    key=("dimension", "value"),
    columns=(
        Column("dimension", "choice", "维度", "Dimension", choices=("kind", "category")),
        Column("value", "choice", "类别", "Kind or category", choices=(*INSTITUTION_KINDS, *CATEGORIES)),
        Column("staff_weight", "number", "教师权重", "Staff weight", minimum=0),
        Column("patent_weight", "number", "专利权重", "Patent weight", minimum=0),
        source_column(),
        basis_column(),
    ),
    help_zh="把全省教师数和专利数分到学校的判断权重：类别权重 × 学科门类权重（专利另乘上榜学科数）。",
    help_en="Judgement by which provincial staff and patents are split: kind × category (patents also × the number "
    "of graded disciplines).",
)

SERVICE_PARAMETERS = Registry(
    "service_parameters",
    "企业服务参数",
    "Parameters of enterprise service",
    key=("parameter_id",),
    columns=parameter_columns(r"^SP\d{2}$", "enterprise_service"),
    help_zh="过程参数表之外、企业服务模型所需的参数。",
    help_en="What the model of enterprise service needs beyond the process parameters.",
)

REGISTRIES: tuple[Registry, ...] = (
    FIRM_CLASS_TABLE,
    ENTERPRISES,
    SERVICE_TEAMS,
    TEAM_DEPLOYMENT,
    INSTITUTION_WEIGHTS,
    SERVICE_PARAMETERS,
)
