"""Registries of school places: statistics, norms, admission rules, migrant children, cohorts, demand, capacity.

No class count, seat capacity, budget or purchase price is public by county: those registries are derived or synthetic
(see :mod:`zjsim.synthesis.seats`) and are meant to be replaced by a county's own tables.
"""

from __future__ import annotations

from zjsim.tables.registries.places import CITY_CODE, COUNTY_CODE
from zjsim.tables.schema import Column, Registry, basis_column, source_column

AREA_CODE = r"^33\d{4}$"
STAGES = ("primary", "junior")
"""小学 (grades 1-6) and 初中 (grades 7-9)."""

_ILLUSTRATION_ZH = "推算或合成的示例：哪些县学位不足，须以真实台账替换后才能下结论。"
_ILLUSTRATION_EN = (
    "Derived or synthetic: which counties fall short is an illustration until real tables replace this one."
)


def _county() -> Column:
    return Column(
        "county_code",
        "code",
        "县级代码",
        "County code",
        pattern=COUNTY_CODE,
        ref="counties.county_code",
    )


def _year(minimum: int = 2020) -> Column:
    return Column(
        "year",
        "integer",
        "学年",
        "School year",
        minimum=minimum,
        maximum=2040,
        help_zh="学年开始的年份（9月）。",
        help_en="The year in which the school year begins (September).",
    )


def _grade() -> Column:
    return Column("grade", "integer", "年级", "Grade", minimum=1, maximum=9)


def _stage() -> Column:
    return Column("stage", "choice", "学段", "Stage", choices=STAGES)


def _children(name: str, zh: str, en: str, help_zh: str = "", help_en: str = "") -> Column:
    return Column(name, "integer", zh, en, unit="children", minimum=0, help_zh=help_zh, help_en=help_en)


def _count(name: str, zh: str, en: str, unit: str, help_zh: str = "", help_en: str = "") -> Column:
    return Column(name, "integer", zh, en, unit=unit, minimum=0, help_zh=help_zh, help_en=help_en)


def _amount(name: str, zh: str, en: str, unit: str, help_zh: str = "", help_en: str = "") -> Column:
    return Column(name, "number", zh, en, unit=unit, minimum=0, help_zh=help_zh, help_en=help_en)


def _area(name: str, zh: str, en: str, help_zh: str, help_en: str) -> Column:
    return Column(name, "number", zh, en, unit="m2", required=False, minimum=0, help_zh=help_zh, help_en=help_en)


def _share(name: str, zh: str, en: str, help_zh: str = "", help_en: str = "") -> Column:
    return Column(name, "number", zh, en, unit="share", minimum=0, maximum=1, help_zh=help_zh, help_en=help_en)


EDUCATION_STATISTICS = Registry(
    "education_statistics",
    "教育统计",
    "Education statistics",
    key=("area_code", "year", "indicator"),
    columns=(
        Column("area_code", "code", "地区代码", "Area code", pattern=AREA_CODE),
        Column("level", "choice", "层级", "Level", choices=("province", "city")),
        Column("year", "integer", "年份", "Year", minimum=2005, maximum=2040),
        Column("indicator", "code", "指标", "Indicator", pattern=r"^[a-z0-9_]{1,60}$"),
        Column("value", "number", "数值", "Value", minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column(
            "precision",
            "number",
            "精度",
            "Precision",
            minimum=0,
            help_zh="发布数字的最小单位。",
            help_en="The smallest step of the published number.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="全省和部分设区市公布的学校、学生、教师和随迁子女数。县级数据没有公布。",
    help_en="Published schools, pupils, teachers and migrant children of the province and some cities; none by county.",
)

SEAT_NORMS = Registry(
    "seat_norms",
    "学位标准与假定",
    "Seat norms and assumptions",
    key=("norm_id",),
    columns=(
        Column("norm_id", "code", "编号", "Norm", pattern=r"^[a-z][a-z0-9_]*$"),
        Column("topic", "code", "主题", "Topic", pattern=r"^[a-z][a-z0-9_]*$"),
        Column("stage", "text", "学段或对象", "Stage or object"),
        Column(
            "comparator",
            "choice",
            "比较方式",
            "Comparator",
            choices=("<=", "<", "=", ">=", "range", "observed", "assumed"),
        ),
        Column("value", "number", "数值", "Value", required=False, minimum=0),
        Column("low", "number", "下限", "Low", required=False, minimum=0),
        Column("high", "number", "上限", "High", required=False, minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("place_zh", "text", "适用地区", "Place in Chinese"),
        Column("used_by_model", "boolean", "模型使用", "Used by the model"),
        Column("note_zh", "text", "说明", "Note in Chinese", required=False),
        Column("note_en", "text", "英文说明", "Note", required=False),
        source_column(),
        basis_column(),
    ),
    help_zh="班额、编制、面积、服务半径、每个学位造价（8个项目），以及模型所用的假定及其范围。",
    help_en="Class sizes, staff ratios, areas, distances, costs of seats (8 projects), assumptions with their range.",
)

ADMISSION_RULES = Registry(
    "admission_rules",
    "入学规则",
    "Admission rules",
    key=("rule_id",),
    columns=(
        Column("rule_id", "code", "编号", "Rule", pattern=r"^A\d{2}$"),
        Column("place_code", "code", "地区代码", "Place code", pattern=AREA_CODE),
        Column("place_zh", "text", "地区", "Place in Chinese"),
        Column("year_from", "integer", "起始年", "In force from", required=False, minimum=2010, maximum=2040),
        Column("topic", "code", "主题", "Topic", pattern=r"^[a-z_]{1,60}$"),
        Column("summary_zh", "text", "摘要", "Summary in Chinese"),
        Column("summary_en", "text", "英文摘要", "Summary"),
        Column(
            "insurance_months",
            "integer",
            "社保月数",
            "Months of social insurance",
            unit="months",
            required=False,
            minimum=0,
            maximum=120,
            help_zh="0 表示不要求；空表示该规则未涉及。规则每年都会调整。",
            help_en="0: none asked for; empty: the rule does not speak of it. Rules change every year.",
        ),
        Column(
            "residence_months",
            "integer",
            "居住月数",
            "Months of residence",
            unit="months",
            required=False,
            minimum=0,
            maximum=120,
        ),
        Column(
            "minimum_points",
            "integer",
            "最低积分",
            "Minimum points",
            unit="points",
            required=False,
            minimum=0,
            maximum=1000,
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="居住证加积分、长幼随学、转学等规则，按地区和年份登记。",
    help_en="Residence permit and points, siblings, transfers: rules by place and year, in our words.",
)

MIGRANT_CALIBRATION = Registry(
    "migrant_calibration",
    "随迁子女基准表",
    "Calibration of migrant children",
    key=("county_code",),
    columns=(
        _county(),
        Column("city_code", "code", "设区市代码", "City code", pattern=CITY_CODE, ref="cities.city_code"),
        Column(
            "reference_year",
            "integer",
            "总数所属年份",
            "Year of the total",
            minimum=2018,
            maximum=2022,
            help_zh="该县所属总数的公布年份：各行年份不同。",
            help_en="Year of the published total this row adds up to: the rows mix years.",
        ),
        _children("migrant_children", "随迁子女", "Migrant children"),
        _children("migrant_primary", "其中小学", "of them in primary"),
        _children("migrant_junior", "其中初中", "of them in junior"),
        _children("in_public_schools", "就读公办学校", "In public schools"),
        _share("public_share", "公办就读比例", "Public share"),
        source_column(),
        basis_column(),
    ),
    help_zh="义务教育段随迁子女分县推算。合计等于三个年份的公布数：全省2018年1,492,300、杭州2022年286,300、"
    "宁波2019年287,200，因此是混合年份（2018–2022）的基准表，不是某一年的统计；作为2020学年的起点向后推移。",
    help_en="Migrant children of compulsory school by county, fitted to published totals of three years (province "
    "2018, Hangzhou 2022, Ningbo 2019): it mixes 2018-2022 and is no statistic of one year. It starts 2020 onwards.",
)

COHORTS = Registry(
    "cohorts",
    "学龄人口",
    "Cohorts",
    key=("county_code", "year", "age"),
    columns=(
        _county(),
        _year(),
        Column(
            "age",
            "integer",
            "年龄",
            "Age",
            unit="years",
            minimum=0,
            maximum=14,
            help_zh="9月1日周岁；6–14岁对应1–9年级。",
            help_en="On 1 September; ages 6-14 are grades 1-9.",
        ),
        _children("children", "儿童", "Children"),
        source_column(),
        basis_column(),
    ),
    help_zh="分县、分学年、分年龄。2020年在校生合计等于公布数（小学3,727,300、初中1,636,400）；"
    "2024年起的出生人口和以后的净迁移为假定。",
    help_en="By county, school year, age. Pupils of 2020 equal the published 3,727,300 and 1,636,400; births from 2024 "
    "and later net migration are assumptions.",
)

SEAT_DEMAND = Registry(
    "seat_demand",
    "学位需求",
    "Seat demand",
    key=("county_code", "year", "grade"),
    columns=(
        _county(),
        _year(),
        _grade(),
        _children(
            "local_children",
            "本地户籍学生",
            "Children with local hukou",
            "假定全部需要公办学位。",
            "All are taken to need a public seat.",
        ),
        _children("migrant_children", "随迁子女", "Migrant children"),
        _children("permit_holders", "持居住证随迁子女", "of them families with a permit"),
        _children("eligible_children", "符合县规的随迁子女", "of them eligible by county rule"),
        _children(
            "applicants",
            "当年申请入（转）学",
            "Applicants of the year",
            "一年级、七年级新生加其他年级转入。",
            "Entrants of grades 1 and 7, transfers in other grades.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="分县、学年、年级。持证和符合条件的比例为假定。" + _ILLUSTRATION_ZH,
    help_en="By county, school year and grade. Shares with a permit and of the eligible are assumed. "
    + _ILLUSTRATION_EN,
)

SEAT_CAPACITY = Registry(
    "seat_capacity",
    "学位供给",
    "Seat capacity",
    key=("county_code", "year", "grade"),
    columns=(
        _county(),
        _year(),
        _grade(),
        _count(
            "public_classes",
            "公办班级",
            "Public classes",
            "classes",
            "截止日前为推算现状；之后为随学生升级、毕业多少班招多少班的现有安排。",
            "Derived up to the as-of date; afterwards the classes that move up, as many opened as leave.",
        ),
        _count(
            "public_seats",
            "公办学位",
            "Public seats",
            "seats",
            "班级数 × 每班可用学位（班额标准 × 可用系数，取整）。",
            "Classes × usable seats per class (norm × factor, rounded down).",
        ),
        _count("private_places", "民办学校随迁子女学位", "Private places of migrant children", "places"),
        source_column(),
        basis_column(),
    ),
    help_zh="班级数 = 在校生 ÷ 典型班额（小学40、初中42）。" + _ILLUSTRATION_ZH,
    help_en="Classes = pupils ÷ a typical class (primary 40, junior 42). " + _ILLUSTRATION_EN,
)

SEAT_OPTIONS = Registry(
    "seat_options",
    "学位扩充选项",
    "Options to add seats",
    key=("county_code", "stage"),
    columns=(
        _county(),
        _stage(),
        _count("usable_seats_per_class", "每班可用学位", "Usable seats per class", "seats"),
        _count("classrooms", "现有普通教室", "Classrooms", "rooms", "正在使用的加空置的。", "In use and spare."),
        _count("extension_rooms_max", "扩建教室上限", "Extension rooms at most", "rooms"),
        _count("extension_rooms_min", "每次扩建最少教室", "Rooms per extension at least", "rooms"),
        _amount("extension_yuan_per_room", "扩建每教室造价", "Cost per extension room", "yuan per room"),
        _count("extension_lead_months", "扩建工期", "Lead time of an extension", "months"),
        _count("school_sites", "可新建学校数", "New schools at most", "schools"),
        _count("school_rooms_min", "新建学校最少班级", "Rooms of a new school at least", "rooms"),
        _count("school_rooms_max", "新建学校最多班级", "Rooms of a new school at most", "rooms"),
        _amount("school_yuan_per_room", "新建每教室造价", "Cost per room of a new school", "yuan per room"),
        _count("school_lead_months", "新建工期", "Lead time of a new school", "months"),
        _amount("equip_yuan_per_class", "新开班设备", "Equipment of an opened class", "yuan per class"),
        _amount(
            "running_yuan_per_class", "新增班年运行费", "Running cost of an added class", "yuan per class and year"
        ),
        _amount(
            "staff_per_class",
            "每班教职工",
            "Staff per class",
            "persons per class",
            "每班可用学位 ÷ 生师标准（全部教职工）。",
            "Usable seats ÷ norm (all staff, not only teachers).",
        ),
        _amount("staff_available", "现有教职工", "Staff at the as-of date", "persons"),
        _amount("staff_growth_per_year", "教职工年增长上限", "Growth of staff at most", "share per year"),
        _count("purchase_places_max", "可购买民办学位", "Purchasable private places", "places per year"),
        _amount("purchase_yuan_per_place", "购买价格", "Price of a purchased place", "yuan per place and year"),
        _area(
            "site_m2",
            "现有校园用地",
            "Site of the schools that stand",
            "该学段现有公办学校用地合计；空白表示不知道，用地不作限制。",
            "Of the stage's public schools together; empty: not known, and then no limit.",
        ),
        _area(
            "site_m2_per_pupil",
            "生均用地标准",
            "Norm of site per pupil",
            "空白表示不作限制。",
            "Empty: no limit.",
        ),
        _area(
            "new_site_m2",
            "每个新校址用地",
            "Area of a site for a new school",
            "空白表示不知道，不作限制。",
            "Empty: not known, and then no limit.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="分县、学段。" + _ILLUSTRATION_ZH,
    help_en="By county and stage. " + _ILLUSTRATION_EN,
)

SEAT_BUDGETS = Registry(
    "seat_budgets",
    "学位经费",
    "Seat budgets",
    key=("county_code", "year"),
    columns=(
        _county(),
        _year(2025),
        _amount("budget_yuan", "学位扩充经费", "Budget for added seats", "yuan"),
        source_column(),
        basis_column(),
    ),
    help_zh="各县经费没有公布，按2020年常住人口合成。" + _ILLUSTRATION_ZH,
    help_en="County budgets are not public: synthetic, by residents of 2020. " + _ILLUSTRATION_EN,
)

REGISTRIES: tuple[Registry, ...] = (
    EDUCATION_STATISTICS,
    SEAT_NORMS,
    ADMISSION_RULES,
    MIGRANT_CALIBRATION,
    COHORTS,
    SEAT_DEMAND,
    SEAT_CAPACITY,
    SEAT_OPTIONS,
    SEAT_BUDGETS,
)
