"""Registries of universities and colleges, and of the first-level disciplines they run."""

from __future__ import annotations

from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

MOE_CODE = r"^\d{5}$"
DISCIPLINE_CODE = r"^\d{4}$"

CATEGORIES = (
    "comprehensive",
    "engineering",
    "agriculture",
    "medicine",
    "teacher_training",
    "languages",
    "finance_economics",
    "politics_law",
    "arts",
    "sports",
)
"""Type of institution, by main field."""

GRADES = ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-")
"""Grades of the fourth national round of discipline assessment, best first; empty: not in the published top 70 %."""

UNIVERSITIES = Registry(
    "universities",
    "高校",
    "Universities and colleges",
    key=("moe_code",),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution code", pattern=MOE_CODE),
        Column("name_zh", "text", "2024年名称", "Name in 2024, in Chinese"),
        Column("name_en", "text", "英文名称", "Name in 2024"),
        Column("name_en_basis", "choice", "英文名称依据", "Basis of the English name", choices=BASES),
        Column(
            "name_zh_newest",
            "text",
            "最新名称",
            "Newest name in Chinese",
            help_zh="更名后代码不变；名单截至 2026 年 6 月。",
            help_en="A renamed institution keeps its code; as listed in June 2026.",
        ),
        Column("city_code", "code", "所在市", "City", ref="cities.city_code", pattern=r"^33\d{2}00$"),
        Column(
            "city_basis",
            "choice",
            "所在市依据",
            "Basis of the city",
            choices=BASES,
            help_zh="与名单所在地一致者按名单；办学地另在他市者为未核实。",
            help_en="As listed, or, where the campus lies in another city than the listed one, unverified.",
        ),
        Column("county_code", "code", "校区所在县", "County of the campus", ref="counties.county_code"),
        Column(
            "county_basis",
            "choice",
            "校区所在县依据",
            "Basis of the county",
            choices=BASES,
            help_zh="unverified：一般了解，未查证；assumption：校区未知，取市政府所在区。",
            help_en="unverified: general knowledge; assumption: campus unknown, district of the city government taken.",
        ),
        Column("level", "choice", "办学层次", "Level", choices=("undergraduate", "vocational")),
        Column("vocational_undergraduate", "boolean", "职业本科（2024年）", "Vocational undergraduate in 2024"),
        Column(
            "ownership", "choice", "举办类型", "Ownership", choices=("public", "private", "independent", "sino_foreign")
        ),
        Column("category", "choice", "类别", "Category", choices=CATEGORIES),
        Column("category_basis", "choice", "类别依据", "Basis of the category", choices=BASES),
        Column("double_first_class", "boolean", "双一流", "Double First-Class"),
        Column("provincial_key_university", "boolean", "省重点建设高校", "Provincial key university"),
        Column("double_high_plan", "boolean", "双高计划（2019年）", "Double-High plan of 2019"),
        source_column(),
        basis_column(),
    ),
    help_zh="行动计划印发年份（2024）的 109 所普通高校：本科 62 所，高职 47 所。",
    help_en="The 109 regular institutions of the plan's year (2024): 62 undergraduate, 47 higher vocational.",
)

DISCIPLINES = Registry(
    "disciplines",
    "学科",
    "Disciplines",
    key=("moe_code", "discipline_code"),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution code", pattern=MOE_CODE, ref="universities.moe_code"),
        Column("discipline_code", "code", "学科代码", "Discipline code", pattern=DISCIPLINE_CODE),
        Column("name_zh", "text", "学科名称", "Discipline in Chinese"),
        Column("name_en", "text", "学科英文名称", "Discipline"),
        Column("catalogue", "choice", "学科目录", "Catalogue", choices=("2011", "2022")),
        Column(
            "code_2022",
            "code",
            "2022年目录代码",
            "Code in the catalogue of 2022",
            pattern=DISCIPLINE_CODE,
            separator=";",
            help_zh="一个旧代码对应多个新代码时用分号隔开。",
            help_en="Several codes, with semicolons, where an old discipline was split.",
        ),
        Column(
            "grade",
            "choice",
            "第四轮评估结果",
            "Grade in the fourth round",
            required=False,
            choices=GRADES,
            help_zh="空：未进入公布的前 70%，或未参评；不等于差。",
            help_en="Empty: not in the published top 70 %, or not assessed; it does not mean weak.",
        ),
        Column("double_first_class", "boolean", "双一流建设学科", "Double First-Class discipline"),
        source_column(),
        basis_column(),
    ),
    help_zh="高校 × 一级学科。有评估结果的行对浙江是完整的；其余高校以机构身份参加，学科实力未知，不是零。",
    help_en="Institution × first-level discipline. Graded rows are complete for Zhejiang; institutions without rows "
    "take part as institutions: their strength is unknown, not zero.",
)

REGISTRIES: tuple[Registry, ...] = (UNIVERSITIES, DISCIPLINES)
