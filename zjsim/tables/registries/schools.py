"""Registries of one school year's placement: planning zones, residence cells, schools, tiers, groups of children.

None of it is public by school. The tables here are optional: ``zjsim synthesize`` draws them from the county tables,
labelled synthetic, and a county replaces them by its own, county by county. Only the parameters of the drawing are
part of the baseline.
"""

from __future__ import annotations

from zjsim.tables.registries.places import COUNTY_CODE
from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

ZONE_ID = r"^33\d{4}-Z\d{2}$"
CELL_ID = r"^33\d{4}-C\d{4}$"
SCHOOL_ID = r"^33\d{4}-[PJN]\d{3}$"
GROUP_ID = r"^33\d{4}-G\d{5}$"
FAMILY_ID = r"^33\d{4}-F\d{4}$"
ZONE_KINDS = ("urban", "town", "rural")
SCHOOL_STAGES = ("primary", "junior", "nine_year")
ORDERS = ("points", "insurance_months", "none")

_SYNTHETIC_ZH = "合成示例，不对应真实学校或家庭；以真实台账逐县替换。"
_SYNTHETIC_EN = "Synthetic: no real school or family stands behind a row; replace it county by county with real tables."


def _county() -> Column:
    return Column("county_code", "code", "县级代码", "County code", pattern=COUNTY_CODE, ref="counties.county_code")


def _zone() -> Column:
    return Column("zone_id", "code", "规划区块", "Planning zone", pattern=ZONE_ID, ref="planning_zones.zone_id")


def _point() -> tuple[Column, Column]:
    return (
        Column("lon", "number", "经度", "Longitude", unit="degrees", minimum=117, maximum=124),
        Column("lat", "number", "纬度", "Latitude", unit="degrees", minimum=26, maximum=32),
    )


def _year() -> Column:
    return Column(
        "year",
        "integer",
        "学年",
        "School year",
        minimum=2020,
        maximum=2040,
        help_zh="学年开始的年份（9月）。",
        help_en="The year in which the school year begins (September).",
    )


def _grade() -> Column:
    return Column("grade", "integer", "年级", "Grade", minimum=1, maximum=9)


def _count(name: str, zh: str, en: str, unit: str, help_zh: str = "", help_en: str = "") -> Column:
    return Column(name, "integer", zh, en, unit=unit, minimum=0, help_zh=help_zh, help_en=help_en)


def _share(name: str, zh: str, en: str, help_zh: str, help_en: str) -> Column:
    return Column(name, "number", zh, en, unit="share", minimum=0, maximum=1, help_zh=help_zh, help_en=help_en)


def _school(name: str, zh: str, en: str, help_zh: str, help_en: str) -> Column:
    return Column(
        name,
        "code",
        zh,
        en,
        required=False,
        pattern=SCHOOL_ID,
        ref="schools.school_id",
        help_zh=help_zh,
        help_en=help_en,
    )


PLACEMENT_PARAMETERS = Registry(
    "placement_parameters",
    "学校与学生合成参数",
    "Parameters of schools and groups of children",
    key=("parameter_id",),
    columns=parameter_columns(r"^CP\d{2}$", "placement"),
    help_zh="合成学校、区块和随迁子女分组所用的参数；每个参数取最可能值，下限和上限供敏感性分析。",
    help_en="What the drawing of schools, zones and groups of migrant children uses: the mode; low and high are for "
    "sensitivity.",
)

PLANNING_ZONES = Registry(
    "planning_zones",
    "规划区块",
    "Planning zones",
    key=("zone_id",),
    columns=(
        Column("zone_id", "code", "规划区块", "Planning zone", pattern=ZONE_ID),
        _county(),
        Column("label_zh", "text", "名称", "Label in Chinese"),
        Column("label_en", "text", "英文名称", "Label"),
        Column("kind", "choice", "类型", "Kind", choices=ZONE_KINDS),
        *_point(),
        Column(
            "radius_km",
            "number",
            "半径",
            "Radius",
            unit="km",
            minimum=0,
            maximum=100,
            help_zh="学校和居住点都在此半径内。",
            help_en="Its schools and residence cells lie within it.",
        ),
        _share(
            "share_local",
            "本地户籍学生占全县比例",
            "Share of the county’s children with local hukou",
            "一县各区块合计为 1（未知时全为 0）。",
            "The zones of a county add up to 1 (all 0 where unknown).",
        ),
        _share(
            "share_migrant",
            "随迁子女占全县比例",
            "Share of the county’s migrant children",
            "一县各区块合计为 1（未知时全为 0）。",
            "The zones of a county add up to 1 (all 0 where unknown).",
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="每县3–12个区块，位于以县代表点为圆心、面积等于全县的圆内，不是行政区划。" + _SYNTHETIC_ZH,
    help_en="3 to 12 zones a county, within the circle of the county’s area around its point: no administrative units. "
    + _SYNTHETIC_EN,
)

RESIDENCE_CELLS = Registry(
    "residence_cells",
    "居住点",
    "Residence cells",
    key=("cell_id",),
    columns=(
        Column("cell_id", "code", "居住点", "Residence cell", pattern=CELL_ID),
        _county(),
        _zone(),
        *_point(),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="小区或村一级的位置，用来计算到校距离（每点每年约25名申请人）。" + _SYNTHETIC_ZH,
    help_en="Places of the size of an estate or village, for distances to school (about 25 applicants a year each). "
    + _SYNTHETIC_EN,
)

SCHOOLS = Registry(
    "schools",
    "学校",
    "Schools",
    key=("school_id",),
    columns=(
        Column("school_id", "code", "学校", "School", pattern=SCHOOL_ID),
        Column("label_zh", "text", "名称", "Label in Chinese"),
        Column("label_en", "text", "英文名称", "Label"),
        _county(),
        _zone(),
        *_point(),
        Column("ownership", "choice", "举办者", "Ownership", choices=("public", "private")),
        Column(
            "stage",
            "choice",
            "类型",
            "Stage",
            choices=SCHOOL_STAGES,
            help_zh="九年一贯制学校按教育统计口径计入初中：小学3308所，初中1748所（含九年一贯制）。",
            help_en="As in the yearly statistics a nine-year school counts once, as a junior school: 3,308 primary and "
            "1,748 junior schools, nine-year ones among the latter.",
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="学校数等于2020年公布数。" + _SYNTHETIC_ZH,
    help_en="As many schools as published for 2020. " + _SYNTHETIC_EN,
)

SCHOOL_GRADES = Registry(
    "school_grades",
    "学校分年级学位",
    "Places by school and grade",
    key=("school_id", "year", "grade"),
    columns=(
        Column("school_id", "code", "学校", "School", pattern=SCHOOL_ID, ref="schools.school_id"),
        _county(),
        _year(),
        _grade(),
        _count("classes", "班级", "Classes", "classes"),
        _count(
            "seats",
            "学位",
            "Seats",
            "seats",
            "公办：班级数 × 每班可用学位；民办：提供给随迁子女的学位。",
            "Public: classes × usable seats; private: the places migrant children use.",
        ),
        _count(
            "taken_local",
            "本地户籍学生已占",
            "Taken by children with local hukou",
            "seats",
            "先于随迁子女安排，任何方案都不得挤占。",
            "They come first: no plan may displace one of them.",
        ),
        _count(
            "taken_migrant",
            "在读随迁子女已占",
            "Taken by migrant children already there",
            "seats",
            "非起始年级在读、本年不申请的随迁子女。",
            "Children of grades 2-6, 8 and 9 who are enrolled and do not apply this year.",
        ),
        _count(
            "purchased_seats",
            "政府购买学位",
            "Purchased seats",
            "seats",
            "民办学校中由政府购买的学位（含在“学位”内）；扩充方案可另行增购。",
            "Seats of a private school that the county pays for (among its seats); an expansion plan may buy more.",
        ),
        _count(
            "taken_purchased",
            "购买学位中已占",
            "Purchased seats taken",
            "seats",
            "其中在读随迁子女已占的部分。",
            "Those of them taken by migrant children already there.",
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="可安排的学位 = 学位 − 本地户籍学生已占 − 在读随迁子女已占。分县分年级合计等于学位供给、学位需求两表。"
    + _SYNTHETIC_ZH,
    help_en="Free seats = seats − taken by local children − taken by migrant children already there. By county and "
    "grade they add up to seat_capacity and seat_demand. " + _SYNTHETIC_EN,
)

TIER_RULES = Registry(
    "tier_rules",
    "入学梯度",
    "Tiers of admission",
    key=("county_code", "tier"),
    columns=(
        _county(),
        Column(
            "tier", "integer", "梯度", "Tier", minimum=1, maximum=9, help_zh="数字小者优先。", help_en="1 comes first."
        ),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("needs_permit", "boolean", "须持居住证", "Needs a residence permit"),
        Column("needs_county_rule", "boolean", "须符合县规", "Needs the county rule"),
        Column(
            "minimum_points",
            "number",
            "最低积分",
            "Points at least",
            required=False,
            minimum=0,
            maximum=10000,
            help_zh="含；空为不限。",
            help_en="Inclusive; empty: no limit.",
        ),
        Column(
            "below_points",
            "number",
            "积分低于",
            "Points below",
            required=False,
            minimum=0.001,
            maximum=10000,
            help_zh="不含；空为不限。",
            help_en="Exclusive; empty: no limit.",
        ),
        Column(
            "order_by",
            "choice",
            "梯度内排序",
            "Order within the tier",
            choices=ORDERS,
            help_zh="积分，或养老保险缴费月数（义乌），高者在先；none 为不排序。",
            help_en="Points, or months of pension insurance (义乌): more come first; none: no order.",
        ),
        Column(
            "points_step",
            "number",
            "积分最小单位",
            "Step of the points",
            required=False,
            minimum=0.001,
            maximum=100,
            help_zh="积分精确到此单位；完全相同才算同分。",
            help_en="Points are exact to this step; only equal points tie.",
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="居住证加积分的梯度（M109），分县。各县实际分值线和梯度以当年入学办法为准。" + _SYNTHETIC_ZH,
    help_en="Residence permit plus bands of points (M109), by county; a county’s rule of the year replaces it. "
    + _SYNTHETIC_EN,
)

CHILD_GROUPS = Registry(
    "child_groups",
    "随迁子女申请分组",
    "Groups of migrant applicants",
    key=("group_id",),
    columns=(
        Column("group_id", "code", "分组", "Group", pattern=GROUP_ID),
        _county(),
        _zone(),
        Column("cell_id", "code", "居住点", "Residence cell", pattern=CELL_ID, ref="residence_cells.cell_id"),
        _year(),
        _grade(),
        Column(
            "is_transfer",
            "boolean",
            "转学",
            "Transfer",
            help_zh="一年级、七年级新生为否。",
            help_en="No for entrants of grades 1 and 7.",
        ),
        Column("has_permit", "boolean", "持居住证", "Family with a permit"),
        Column("is_eligible", "boolean", "符合县规", "Eligible by county rule"),
        Column("tier", "integer", "梯度", "Tier", minimum=1, maximum=9),
        Column(
            "points",
            "number",
            "积分",
            "Points",
            required=False,
            minimum=0,
            maximum=10000,
            help_zh="精确值，最小单位见入学梯度表；无积分者为空。",
            help_en="Exact, in the step of tier_rules; empty where the tier has none.",
        ),
        _school(
            "sibling_school",
            "兄姐所在学校",
            "School of an elder sibling",
            "兄姐开学后仍在读，且该校有申请的年级；没有则为空。",
            "Where an elder sibling is still enrolled after the summer; empty: none.",
        ),
        _school(
            "current_school",
            "现就读学校",
            "School now attended",
            "转学者已在本县学校就读的；本年不再计入该校已占学位，可留在原校。",
            "Of a transfer already at a school of the county: not counted among its seats taken, and free to stay.",
        ),
        Column(
            "family_id",
            "code",
            "同时申请的兄弟姐妹",
            "Siblings who apply together",
            required=False,
            pattern=FAMILY_ID,
            help_zh="同一编号为同年申请、年级不同的一家子女；不含任何身份信息。",
            help_en="The same number: children of one family who apply this year for different grades; no identity.",
        ),
        _count("children", "人数", "Children", "children", "组内各项完全相同。", "Equal in every column."),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="一个学年的全部随迁子女申请人（含不符合条件者，见“符合县规”），分县分年级合计等于学位需求表。"
    "不含姓名和证件号码。" + _SYNTHETIC_ZH,
    help_en="All migrant applicants of a school year, eligible or not (see is_eligible); by county and grade they add "
    "up to seat_demand. No names or identity numbers. " + _SYNTHETIC_EN,
)

SCHOOL_CHOICES = Registry(
    "school_choices",
    "家庭志愿",
    "Choices of families",
    key=("group_id", "choice"),
    columns=(
        Column("group_id", "code", "分组", "Group", pattern=GROUP_ID, ref="child_groups.group_id"),
        _county(),
        _year(),
        Column(
            "choice", "integer", "志愿序号", "Choice", minimum=1, maximum=200, help_zh="1 最先。", help_en="1 first."
        ),
        Column("school_id", "code", "学校", "School", pattern=SCHOOL_ID, ref="schools.school_id"),
        source_column(),
        basis_column(),
    ),
    required=False,
    may_be_empty=True,
    help_zh="收集志愿的县填写；有志愿的分组只按志愿安排（可留在现就读学校），其余分组按公办优先、就近安排。",
    help_en="For counties that collect choices. A group with choices goes to one of them only (or stays where it is); "
    "groups without any prefer public schools, then near ones.",
)

REGISTRIES: tuple[Registry, ...] = (
    PLACEMENT_PARAMETERS,
    PLANNING_ZONES,
    RESIDENCE_CELLS,
    SCHOOLS,
    SCHOOL_GRADES,
    TIER_RULES,
    CHILD_GROUPS,
    SCHOOL_CHOICES,
)
