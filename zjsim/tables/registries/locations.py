"""Registries of what is opened where: kinds of facility, need by county, who can host, and the limits of a year.

Nothing here is a number that a target asks for: the starts of a year are those the province has shown it can begin,
staff and budgets are derived from the registries of institutions and firms, and what has no public source is an
assumption with a range.
"""

from __future__ import annotations

from zjsim.tables.registries.institutions import CATEGORIES
from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

THEMES = ("platforms", "campuses", "practice_centres", "kindergartens")
"""The four location plans, each solved on its own."""

GROUP = r"^(C(0[1-9]|1[0-5])|H(0[1-9]|10)|training|practice|employees|residents)$"
"""What is needed: joint research with an industry, college-level training, practice places, kindergarten places."""

_PARAMETER = "process_parameters.parameter_id|location_parameters.parameter_id"
_YEAR = Column("year", "integer", "年份", "Year", minimum=2025, maximum=2040)


def _theme() -> Column:
    return Column("theme", "choice", "布局主题", "Theme", choices=THEMES)


LOCATION_KINDS = Registry(
    "location_kinds",
    "布局设施类型",
    "Kinds of facility to locate",
    key=("kind",),
    columns=(
        Column("kind", "code", "类型", "Kind", pattern=r"^[a-z][a-z_]*$"),
        _theme(),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("measures", "code", "条目", "Measures", ref="measures.measure_id", separator=";"),
        Column(
            "programme_id",
            "code",
            "对应建设项目",
            "Programme",
            required=False,
            ref="programmes.programme_id",
            help_zh="有布局方案时，该项目的启动由方案决定，不再按历史速度。",
            help_en="With a location plan, the starts of this programme come from the plan and not from its pace.",
        ),
        Column("capacity", "integer", "能力", "Capacity", minimum=1, help_zh="单位见下列", help_en="in the unit below"),
        Column("capacity_unit", "text", "能力单位（英文）", "Unit of the capacity"),
        Column("capacity_unit_zh", "text", "能力单位", "Unit in Chinese"),
        Column(
            "minimum_served",
            "integer",
            "最低服务量",
            "Least amount served",
            minimum=0,
            help_zh="达不到就不值得开办。",
            help_en="Less than this is not worth opening.",
        ),
        Column("staff", "integer", "占用人员", "Staff it takes", minimum=0),
        Column("staff_unit", "text", "人员单位（英文）", "Unit of the staff"),
        Column("staff_unit_zh", "text", "人员单位", "Unit in Chinese"),
        Column("rooms", "integer", "教室", "Rooms added", unit="rooms", minimum=0),
        Column(
            "cost_points",
            "integer",
            "成本点",
            "Cost points",
            unit="points",
            minimum=0,
            help_zh="没有公开造价：企业分中心为 1 点，其余按相对投入判断，可换成万元。",
            help_en="No public cost: a branch centre is 1 point, the others by judgement; may be replaced by money.",
        ),
        Column("setup_parameter", "code", "建设周期", "Set-up time", ref=_PARAMETER),
        Column("failure_parameter", "code", "开办前失败", "Failure before opening", ref=_PARAMETER),
        source_column(),
        basis_column(),
    ),
)

LOCATION_PARAMETERS = Registry(
    "location_parameters",
    "布局参数",
    "Parameters of the location plans",
    key=("parameter_id",),
    columns=parameter_columns(r"^LP\d{2}$", "locations"),
    help_zh="布局需求、人员和限额推算所用的数；均非目标所要求的数。",
    help_en="Numbers behind need, staff and limits; none is a number that a target asks for.",
)

CATEGORY_RELEVANCE = Registry(
    "category_relevance",
    "学校门类与产业",
    "Relevance of categories of institution",
    key=("category", "industry_id"),
    columns=(
        Column("category", "choice", "学校门类", "Category", choices=CATEGORIES),
        Column("industry_id", "code", "产业", "Industry", ref="industries.industry_id"),
        Column("relevance", "integer", "相关度", "Relevance", minimum=0, maximum=3),
        source_column(),
        basis_column(),
    ),
    help_zh="没有公布学科评估的学校按门类参加，强弱未知而非为零；未列出为 0。",
    help_en="Institutions without published disciplines take part by category, their strength unknown and not zero; "
    "pairs not listed are 0.",
)

COUNTY_INDUSTRY = Registry(
    "county_industry",
    "县域产业",
    "Industry by county",
    key=("county_code",),
    columns=(
        Column("county_code", "code", "县（市、区）", "County", ref="counties.county_code"),
        Column(
            "concentration",
            "number",
            "产业集聚度",
            "Industrial concentration",
            minimum=0,
            help_zh="主要产业所在地按角色加权之和（核心区 1、协同区 0.8、已知所在地 0.6）；市级所在地平均分给各县。",
            help_en="Sum over main industries of the place's role (core 1, coordination 0.8, known 0.6); a city-level "
            "place is shared equally by its counties.",
        ),
        Column("has_vocational_college", "boolean", "已有高职院校", "Seat of a vocational college"),
        Column(
            "park_employees",
            "integer",
            "园区和规上企业员工",
            "Employees in parks and larger firms",
            unit="persons",
            minimum=0,
        ),
        source_column(),
        basis_column(),
    ),
)

LOCATION_NEED = Registry(
    "location_need",
    "布局需求",
    "Need by county",
    key=("theme", "county_code", "group"),
    columns=(
        _theme(),
        Column("county_code", "code", "县（市、区）", "County", ref="counties.county_code"),
        Column(
            "group",
            "code",
            "需求",
            "Need",
            pattern=GROUP,
            help_zh="产业编号，或 training 培训、practice 实训、employees 员工子女、residents 周边儿童。",
            help_en="An industry, or training, practice, employees (their children), residents (other children).",
        ),
        Column("amount", "integer", "数量", "Amount", minimum=1),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="未列出的组合没有需求。全部由市级数字推算，须以各县调查替换。",
    help_en="Pairs not listed have none. All derived from city figures: to be replaced by the counties' own surveys.",
)

LOCATION_HOSTS = Registry(
    "location_hosts",
    "可承办人员",
    "Staff that can host",
    key=("theme", "moe_code"),
    columns=(
        _theme(),
        Column("moe_code", "code", "学校", "Institution", ref="universities.moe_code"),
        Column("staff", "integer", "可用人员", "Staff available", minimum=0),
        Column("starts_per_year", "integer", "每年启动上限", "Starts a year", minimum=0),
        Column(
            "may_host_branches",
            "boolean",
            "有国家或省部级平台",
            "Has national or provincial platforms",
            help_zh="M014；以双一流、省重点高校代替，未核实。",
            help_en="M014; Double First-Class and provincial key universities stand in, not verified.",
        ),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
)

LOCATION_STARTS = Registry(
    "location_starts",
    "每年启动数上限",
    "Starts a year",
    key=("kind", "year"),
    columns=(
        Column("kind", "code", "类型", "Kind", ref="location_kinds.kind"),
        _YEAR,
        Column(
            "starts",
            "integer",
            "启动上限",
            "Most starts",
            minimum=0,
            help_zh="历史上每年实际启动的数量（净增加回关闭和失败），不取自目标。",
            help_en="What was begun a year in the past (net openings, closures and failures added back): no target.",
        ),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
)

LOCATION_BUDGETS = Registry(
    "location_budgets",
    "布局限额",
    "Cost limits by city",
    key=("theme", "city_code", "year"),
    columns=(
        _theme(),
        Column("city_code", "code", "设区市", "City", ref="cities.city_code"),
        _YEAR,
        Column("cost_points", "integer", "成本点上限", "Most cost points", unit="points", minimum=0),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
)

REGISTRIES: tuple[Registry, ...] = (
    LOCATION_KINDS,
    LOCATION_PARAMETERS,
    CATEGORY_RELEVANCE,
    COUNTY_INDUSTRY,
    LOCATION_NEED,
    LOCATION_HOSTS,
    LOCATION_STARTS,
    LOCATION_BUDGETS,
)
