"""Registries of talent supply: programme groups, what industries ask for, order classes, and the numbers behind them.

Programme groups are no ``programmes`` (Silk Road colleges and other projects): a group is what one institution (or the
secondary vocational schools of one city) admits at one level in one class of disciplines along one pathway.
"""

from __future__ import annotations

from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

LEVELS = ("secondary", "higher_vocational", "undergraduate", "master", "doctoral")
"""Levels of education, from the lowest."""

FIELDS = ("science", "engineering", "agriculture", "medicine", "other")
"""Fields; the first four are 理工农医 (M040)."""

PATHWAYS = ("regular", "long_5", "long_6", "long_7")
"""Regular admission, or long-schooling of 5, 6 or 7 years that begins at secondary age (M058)."""

CLASS_ID = r"^K\d{2}$"
SECTOR_ID = r"^(C(0[1-9]|1[0-5])|H(0[1-9]|10)|S\d{2})$"
_LEVEL = Column("level", "choice", "层次", "Level", choices=LEVELS)
_CLASS = Column("class_id", "code", "专业类", "Class", ref="programme_classes.class_id")
_SECTOR = Column("sector_id", "code", "产业或行业", "Sector", ref="talent_sectors.sector_id")

PROGRAMME_CLASSES = Registry(
    "programme_classes",
    "专业类",
    "Classes of disciplines",
    key=("class_id",),
    columns=(
        Column("class_id", "code", "专业类", "Class", pattern=CLASS_ID),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("field", "choice", "科类", "Field", choices=FIELDS),
        Column(
            "discipline_prefixes",
            "text",
            "一级学科代码开头",
            "Discipline codes begin with",
            pattern=r"^\d{1,4}$",
            separator=";",
            help_zh="一级学科代码以其中最长的一项开头即属此类；高职和中职专业大类按名称对应（判断）。",
            help_en="A first-level discipline belongs to the class with the longest matching beginning; vocational "
            "categories are matched by name (judgement).",
        ),
        Column(
            "students_per_teacher",
            "number",
            "生师比",
            "Students per teacher",
            unit="students",
            minimum=1,
            help_zh="一名专任教师可带的折合学生数。",
            help_en="Weighted students that one full-time teacher can teach.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="教学和招生按专业类合并；科类决定是否计入理工农医（M040）。",
    help_en="Teaching and admission are grouped by class; the field says what counts as 理工农医 (M040).",
)

TALENT_SECTORS = Registry(
    "talent_sectors",
    "用人产业和行业",
    "Sectors that need graduates",
    key=("sector_id",),
    columns=(
        Column("sector_id", "code", "产业或行业", "Sector", pattern=SECTOR_ID),
        Column(
            "industry_id",
            "code",
            "415X产业",
            "Industry",
            required=False,
            ref="industries.industry_id",
            help_zh="主要产业和历史经典产业；其他行业（S 开头）为空。",
            help_en="Main and heritage industries; empty for other sectors (S…).",
        ),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column(
            "core_classes",
            "code",
            "核心专业类",
            "Core classes",
            required=False,
            ref="programme_classes.class_id",
            separator=";",
            help_zh="只用于其他行业；产业的相关度由学科与产业相关度推得。",
            help_en="Other sectors only; for industries relevance follows from that of disciplines.",
        ),
        Column(
            "related_classes",
            "code",
            "相关专业类",
            "Related classes",
            required=False,
            ref="programme_classes.class_id",
            separator=";",
        ),
        Column(
            "size_weight",
            "number",
            "规模权重",
            "Weight of size",
            minimum=0,
            help_zh="毕业生按相关度的平方乘规模权重流向各产业（假定，只用于推算需求）。",
            help_en="Graduates divide over sectors by relevance squared × this weight (assumption, for demand only).",
        ),
        Column(
            "demand_ratio",
            "number",
            "需求与供给之比",
            "Demand over supply",
            minimum=0,
            help_zh="基准年需求与流入毕业生之比，大于 1 表示紧缺（假定）。",
            help_en="Demand of the base year over graduates who come; above 1 means scarce (assumption).",
        ),
        Column("growth_per_year", "number", "年增长率", "Growth a year", minimum=-0.5, maximum=0.5),
        Column("low_factor", "number", "低值系数", "Low factor", minimum=0, maximum=1),
        Column("high_factor", "number", "高值系数", "High factor", minimum=1),
        Column(
            "priority",
            "integer",
            "优先程度",
            "Priority",
            minimum=1,
            maximum=9,
            help_zh="缺口的权重：国家战略和 415X 主要产业高于其他行业（M038、M041）。",
            help_en="Weight of unmet demand: national strategy and main industries above other sectors (M038, M041).",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="毕业生需求没有分产业统计，比率、增长和区间均为假定，可替换。",
    help_en="No statistics of graduate demand by industry: ratios, growth and ranges are assumptions to be replaced.",
)

PROGRAMME_GROUPS = Registry(
    "programme_groups",
    "专业群（招生单元）",
    "Programme groups",
    key=("host_id", "level", "class_id", "pathway"),
    columns=(
        Column(
            "host_id",
            "code",
            "办学单位",
            "Host",
            ref="universities.moe_code|cities.city_code",
            help_zh="院校代码；中职学校按市合并，用市代码。",
            help_en="Code of the institution; secondary schools are added up by city, under the city's code.",
        ),
        _LEVEL,
        _CLASS,
        Column(
            "pathway",
            "choice",
            "培养路径",
            "Pathway",
            choices=PATHWAYS,
            help_zh="long_5、long_6、long_7 为五、六、七年长学制（M058），level 为毕业时的层次。",
            help_en="long_5, long_6, long_7: long-schooling of that many years (M058); level is that of graduation.",
        ),
        Column("duration_years", "integer", "学制", "Duration", unit="years", minimum=1, maximum=8),
        Column(
            "years_elsewhere",
            "integer",
            "前段在中职年数",
            "First years elsewhere",
            unit="years",
            minimum=0,
            maximum=4,
            help_zh="长学制前段在中职学校，不占本校教师和学位。",
            help_en="First years of a long path at secondary schools: no teachers or places of the host.",
        ),
        Column("dropout_per_year", "number", "年流失率", "Dropout a year", minimum=0, maximum=0.5),
        Column("intake", "integer", "近年招生", "Intake of late", unit="students", minimum=0),
        Column(
            "intake_announced",
            "integer",
            "已公布招生",
            "Intake announced",
            unit="students",
            minimum=0,
            help_zh="尚不能改变的下一次招生的人数。",
            help_en="What the next admission, which can no longer be changed, will take.",
        ),
        Column("teachers", "number", "专任教师", "Teachers", unit="teachers", minimum=0),
        Column("places", "integer", "学位", "Places", unit="places", minimum=0),
        Column("may_open", "boolean", "可新设", "May be opened"),
        Column("may_close", "boolean", "可停招", "May be closed"),
        source_column(),
        basis_column(),
    ),
    help_zh="没有公开的分校分专业招生数：由层次总量按院校类型、门类和学科推得，属合成数据，应以真实招生计划替换。",
    help_en="No public intake by institution and class: derived from totals by level, kind of institution and "
    "disciplines; synthetic, to be replaced by real admission plans.",
)

PROGRAMME_RELEVANCE = Registry(
    "programme_relevance",
    "专业类与产业相关度",
    "Relevance of classes to sectors",
    key=("class_id", "sector_id"),
    columns=(
        _CLASS,
        _SECTOR,
        Column("relevance", "integer", "相关度", "Relevance", minimum=1, maximum=3),
        source_column(),
        basis_column(),
    ),
    help_zh="该类一级学科与产业相关度的最大值；未列出为 0。",
    help_en="The highest relevance of the class's first-level disciplines; pairs not listed are 0.",
)

GRADUATE_DEMAND = Registry(
    "graduate_demand",
    "毕业生需求",
    "Demand for graduates",
    key=("sector_id", "level", "year"),
    columns=(
        _SECTOR,
        _LEVEL,
        Column("year", "integer", "年份", "Year", minimum=2024, maximum=2045),
        Column("low", "number", "低值", "Low", unit="graduates per year", minimum=0),
        Column("mode", "number", "最可能值", "Mode", unit="graduates per year", minimum=0),
        Column("high", "number", "高值", "High", unit="graduates per year", minimum=0),
        source_column(),
        basis_column(),
    ),
)

DEMAND_CASES = Registry(
    "demand_cases",
    "需求情形",
    "Cases of demand",
    key=("case_id", "sector_id"),
    columns=(
        Column("case_id", "code", "情形", "Case", pattern=r"^[a-z][a-z_]*$"),
        _SECTOR,
        Column("probability", "number", "概率", "Probability", minimum=0, maximum=1),
        Column(
            "position",
            "number",
            "位置",
            "Position",
            minimum=-1,
            maximum=1,
            help_zh="-1 低值，0 最可能值，1 高值，中间按直线。",
            help_en="-1 low, 0 mode, 1 high, straight lines between.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="两阶段模型的情形：下一次招生先定，此后按情形调整。",
    help_en="Cases of the two-stage model: the next admission is decided first, the rest follows the case.",
)

ORDER_CLASSES = Registry(
    "order_classes",
    "订单班",
    "Order classes",
    key=("host_id", "level", "class_id", "pathway", "sector_id"),
    columns=(
        Column("host_id", "code", "办学单位", "Host", ref="universities.moe_code|cities.city_code"),
        _LEVEL,
        _CLASS,
        Column("pathway", "choice", "培养路径", "Pathway", choices=PATHWAYS),
        _SECTOR,
        Column("first_year", "integer", "首次招生", "First admission", minimum=2024, maximum=2045),
        Column("seats", "integer", "订单人数", "Seats reserved", unit="students per year", minimum=1),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="企业预订的招生人数，毕业后到该产业（M044）；基数没有公布，属合成数据。",
    help_en="Seats that firms reserve; the graduates go to their sector (M044). No public baseline: synthetic.",
)

TALENT_PARAMETERS = Registry(
    "talent_parameters",
    "人才供给参数",
    "Parameters of talent supply",
    key=("parameter_id",),
    columns=parameter_columns(r"^TL\d{2}$", "talent"),
    help_zh="专业群、需求和模拟所用的数；均非目标所要求的数。",
    help_en="Numbers behind programme groups, demand and simulation; none is a number that a target asks for.",
)

REGISTRIES: tuple[Registry, ...] = (
    PROGRAMME_CLASSES,
    TALENT_SECTORS,
    PROGRAMME_GROUPS,
    PROGRAMME_RELEVANCE,
    GRADUATE_DEMAND,
    DEMAND_CASES,
    ORDER_CLASSES,
    TALENT_PARAMETERS,
)
