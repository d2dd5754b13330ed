"""Registries of vocational training: who trains, what is asked for, which courses there are, and what is not known."""

from __future__ import annotations

from zjsim.tables.registries.parameters import DISTRIBUTIONS
from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

PROVIDER_LEVELS = ("college", "technician_college", "secondary_school")
"""Vocational colleges and universities; technician colleges (labour department); secondary vocational schools."""

COURSE_TYPE_ID = r"^CT\d{2}$"
_PARAMETER = "process_parameters.parameter_id|training_parameters.parameter_id"

TRAINING_PROVIDERS = Registry(
    "training_providers",
    "职业培训机构",
    "Training providers",
    key=("provider_id",),
    columns=(
        Column("provider_id", "code", "机构", "Provider", pattern=r"^P\d{3}$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name", required=False),
        Column("name_basis", "choice", "名称依据", "Basis of the name", choices=BASES),
        Column("city_code", "code", "设区市", "City", ref="cities.city_code"),
        Column("level", "choice", "类别", "Level", choices=PROVIDER_LEVELS),
        Column("moe_code", "code", "院校代码", "Institution code", required=False, ref="universities.moe_code"),
        Column("full_time_teachers", "integer", "专任教师", "Full-time teachers", unit="persons", minimum=1),
        Column("teachers_basis", "choice", "教师数依据", "Basis of the teachers", choices=BASES),
        Column("full_time_students", "integer", "全日制学生", "Full-time students", unit="persons", minimum=1),
        Column("students_basis", "choice", "学生数依据", "Basis of the students", choices=BASES),
        Column(
            "sectors",
            "code",
            "所教行业",
            "Sectors taught",
            ref="training_sectors.sector_id",
            separator=";",
            help_zh="该机构能开班的行业；不分行业的班各机构都能开。",
            help_en="Sectors in which the provider holds classes; classes without a sector may be held anywhere.",
        ),
        Column("sectors_basis", "choice", "行业依据", "Basis of the sectors", choices=BASES),
        source_column(),
        basis_column(),
    ),
    help_zh="学院与学校教师数合计等于2019年公布的15100人与34400人；未见于文件的数由合成方法给出并标明。",
    help_en="Teachers of colleges and of schools add up to the 15,100 and 34,400 published for 2019; what was not read "
    "in a document is synthetic and says so.",
)

TRAINING_SECTORS = Registry(
    "training_sectors",
    "培训行业",
    "Sectors of training",
    key=("sector_id",),
    columns=(
        Column("sector_id", "code", "行业", "Sector", pattern=r"^TS\d$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("industry_id", "code", "产业群", "Industry", required=False, ref="industries.industry_id"),
        Column(
            "employed_share",
            "number",
            "就业份额",
            "Share of the employed",
            minimum=0,
            maximum=1,
            help_zh="全省就业人员在该行业的份额，合计为1；不分行业的记0。",
            help_en="Share of the province’s employed; they add up to one, and without a sector there are none.",
        ),
        Column(
            "name_words",
            "text",
            "校名用字",
            "Words in names",
            required=False,
            help_zh="校名含其中一词的机构教该行业，分号分隔。",
            help_en="A provider whose Chinese name holds one of these words teaches the sector (semicolons between).",
        ),
        Column("any_provider", "boolean", "不分行业", "Held by any provider"),
        source_column(),
        basis_column(),
    ),
    help_zh="四个世界级产业群、服务业、农业，以及不分行业的培训；同一行业的报名者合成一班。",
    help_en="The four world-class groups of industry, services, agriculture, and training without a sector; people of "
    "one sector make up a class.",
)

COURSE_TYPES = Registry(
    "course_types",
    "课程类型",
    "Course types",
    key=("course_type_id",),
    columns=(
        Column("course_type_id", "code", "课程类型", "Course type", pattern=COURSE_TYPE_ID),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("measures", "code", "条目", "Measures", ref="measures.measure_id", separator=";"),
        Column("demand_base", "code", "需求基数", "Demand base", ref="training_bases.base_id"),
        Column("rate_parameter_id", "code", "报名率参数", "Rate of registration", ref=_PARAMETER),
        Column("share_parameter_id", "code", "范围份额参数", "Share in scope", required=False, ref=_PARAMETER),
        Column("size_parameter_id", "code", "班额参数", "Class size", required=False, ref=_PARAMETER),
        Column("hours_parameter_id", "code", "课时参数", "Class hours", required=False, ref=_PARAMETER),
        Column(
            "sector_split",
            "choice",
            "行业拆分",
            "Split by sector",
            choices=("general", "economy", "industry", "agriculture"),
            help_zh="不分行业；按各市就业；只按四个产业群；只记农业。",
            help_en="Without a sector; by the employed of the city; over the four groups of industry; agriculture.",
        ),
        Column(
            "evening_parameter_id",
            "code",
            "晚间周末班份额参数",
            "Share of evening classes",
            required=False,
            ref=_PARAMETER,
            help_zh="只能在晚间和周末上课的班的份额；空为都在白天。",
            help_en="Share of classes that can meet in evenings and at weekends only; empty: all meet in the daytime.",
        ),
        Column(
            "online_parameter_id",
            "code",
            "线上份额参数",
            "Share taught online",
            required=False,
            ref=_PARAMETER,
            help_zh="改在线上学习、不占教师和教室的份额；空为都面授。",
            help_en="Share that learns online instead, without trainers and rooms; empty: none does.",
        ),
        Column(
            "season_index_id",
            "code",
            "月度指数",
            "Monthly index",
            ref=_PARAMETER,
            help_zh="报名或订单随月份变化的指数（monthly_indices）。",
            help_en="Index by which registrations or orders follow the months (monthly_indices).",
        ),
        Column(
            "needs_dual",
            "boolean",
            "须双师型教师",
            "Dual-qualified trainers only",
            help_zh="只能由双师型教师或企业兼职教师授课。",
            help_en="Only dual-qualified teachers or adjuncts from firms may teach it.",
        ),
        Column(
            "is_order",
            "boolean",
            "订单班",
            "Ordered by a firm",
            help_zh="由企业整班预订，不必等人满，课时分布在一个学期。",
            help_en="A firm orders the class as a whole: nobody waits for it to fill, its hours take a term.",
        ),
        Column(
            "has_hour_bands",
            "boolean",
            "课时可分三档",
            "Hours may come in bands",
            help_zh="课时也可能按8–16、24–40、48–80三档（60%、30%、10%）分布。",
            help_en="The hours may also come in the bands 8-16, 24-40 and 48-80 (60, 30 and 10 %).",
        ),
        Column("is_online", "boolean", "纯线上", "Online only"),
        Column("counts_all", "boolean", "计入全部培训", "Counts as training"),
        Column("counts_social", "boolean", "计入社会培训", "Counts as social training"),
        Column(
            "labour_overlap",
            "boolean",
            "与人社统计重叠",
            "Overlaps with the labour department",
            help_zh="一部分学员也计入人社部门统计，严格口径扣除。",
            help_en="Some learners are also counted by the labour department; the strict reading leaves them out.",
        ),
        source_column(),
        basis_column(),
    ),
)

TRAINING_BASES = Registry(
    "training_bases",
    "培训需求基数",
    "Bases of training demand",
    key=("base_id",),
    columns=(
        Column("base_id", "code", "基数", "Base", pattern=r"^[a-z][a-z_]*$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("value", "number", "全省数值", "Provincial value", minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("year", "integer", "年份", "Year", minimum=2015, maximum=2027),
        Column(
            "split_by",
            "choice",
            "分市依据",
            "Split by",
            choices=("residents", "students", "capital"),
            help_zh="按2020年常住人口、按在校生，或全部记在省会。",
            help_en="By residents of 2020, by students, or all to the provincial capital.",
        ),
        source_column(),
        basis_column(),
    ),
)

TRAINING_DEMAND = Registry(
    "training_demand",
    "培训需求",
    "Training demand",
    key=("city_code", "course_type_id", "sector_id"),
    columns=(
        Column("city_code", "code", "设区市", "City", ref="cities.city_code"),
        Column("course_type_id", "code", "课程类型", "Course type", ref="course_types.course_type_id"),
        Column("sector_id", "code", "行业", "Sector", ref="training_sectors.sector_id"),
        Column(
            "base",
            "number",
            "基数",
            "Base",
            minimum=0,
            help_zh="报名率所乘的人数、户数或机构数。",
            help_en="Persons, firms or institutions that the rate of registration applies to.",
        ),
        source_column(),
        basis_column(),
    ),
)

TRAINING_PARAMETERS = Registry(
    "training_parameters",
    "培训参数",
    "Training parameters",
    key=("parameter_id",),
    columns=(
        Column("parameter_id", "code", "参数", "Parameter", pattern=r"^TR\d{2}$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("low", "number", "下限", "Low", minimum=0),
        Column("mode", "number", "最可能值", "Mode", minimum=0),
        Column("high", "number", "上限", "High", minimum=0),
        Column("distribution", "choice", "分布", "Distribution", choices=(*DISTRIBUTIONS, "uniform")),
        source_column(),
        basis_column(),
    ),
    help_zh="过程参数之外培训模型所用的数；都不是目标所要求的数。",
    help_en="Numbers of the training model beyond the process parameters; none is a number that a target asks for.",
)

TRAINING_CALENDAR = Registry(
    "training_calendar",
    "培训月历",
    "Training calendar",
    key=("month",),
    columns=(
        Column("month", "integer", "月份", "Month", minimum=1, maximum=12),
        Column("trainer_index", "number", "教师课时指数", "Trainer hours", unit="mean 1", minimum=0, maximum=12),
        Column("is_holiday", "boolean", "假期", "School holidays"),
        source_column(),
        basis_column(),
    ),
)

REGISTRIES: tuple[Registry, ...] = (
    TRAINING_SECTORS,
    TRAINING_PROVIDERS,
    COURSE_TYPES,
    TRAINING_BASES,
    TRAINING_DEMAND,
    TRAINING_PARAMETERS,
    TRAINING_CALENDAR,
)
