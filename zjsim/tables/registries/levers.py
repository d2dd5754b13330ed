"""Registries of what a planner can choose (levers) and of what nobody chooses (uncertainties), each with its path."""

from __future__ import annotations

from zjsim.tables.registries.parameters import DISTRIBUTIONS
from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

PATH = r"^[a-z_]\w*(?:\[[^\[\]]+\])?(?:\.[\w+-]+)+$"
_PATH_ZH = "节.参数,或 表[关键字].列;关键字可写 *、3301*、2026..2032 或以 ; 列举,不写方括号指全列。"
_PATH_EN = (
    "section.parameter or registry[key].column; a key may be *, 3301*, 2026..2032 or a list joined by ;, and "
    "without brackets the whole column is meant."
)

LEVERS = Registry(
    "levers",
    "手段",
    "Levers",
    key=("lever_id",),
    columns=(
        Column("lever_id", "code", "手段编号", "Lever", pattern=r"^[a-z][a-z0-9_]*$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("path", "text", "路径", "Path", pattern=PATH, help_zh=_PATH_ZH, help_en=_PATH_EN),
        Column(
            "change",
            "choice",
            "改法",
            "Way of changing",
            choices=("set", "scale"),
            help_zh="set 改为范围内的值;scale 乘以范围内的倍数。",
            help_en="set: to a value of the range; scale: times a factor of the range.",
        ),
        Column("low", "number", "下限", "Low", required=False, help_zh="空:取值是文字。", help_en="Empty: a word."),
        Column("high", "number", "上限", "High", required=False),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column(
            "unit_cost_yuan",
            "number",
            "单位成本",
            "Unit cost",
            unit="yuan",
            required=False,
            minimum=0,
            help_zh="路径所指的列每增加一个单位(如一个学位)每年的费用;空为未知,不是零。",
            help_en="Yearly cost of one more unit of the column itself (a place, say); empty is unknown, not zero.",
        ),
        Column(
            "unit_cost_points",
            "number",
            "单位成本点",
            "Unit cost in points",
            unit="points",
            required=False,
            minimum=0,
            help_zh="没有公开单价时的相对投入，与布局设施类型的成本点同一尺度（一个企业分中心为1点）；元与点只填一项。",
            help_en="Relative effort where no price is public, on the scale of the location kinds (a branch centre in "
            "a firm is 1 point); give yuan or points, not both.",
        ),
        Column("cost_per_zh", "text", "成本对应的单位", "What the cost is for, in Chinese", required=False),
        Column("cost_per_en", "text", "成本对应的单位（英文）", "What the cost is for", required=False),
        Column("cost_source_id", "code", "成本来源", "Source of the cost", required=False, ref="sources.source_id"),
        Column("cost_basis", "choice", "成本依据", "Basis of the cost", required=False, choices=BASES),
        Column("earliest_effect", "date", "最早见效日", "Earliest effect"),
        Column("measures", "code", "条目", "Measures", required=False, ref="measures.measure_id", separator=";"),
        source_column(),
        basis_column(),
    ),
    required=False,
    may_be_empty=True,
    help_zh="可由规划者改变的量:路径指向真实的参数或表格,范围、成本和见效日供方案比较和反推使用。",
    help_en="What a planner can change: the path leads to a real parameter or cell; range, cost and date serve the "
    "comparison of scenarios and the search for what it takes.",
)

UNCERTAINTIES = Registry(
    "uncertainties",
    "不确定因素",
    "Uncertainties",
    key=("input_id", "process"),
    columns=(
        Column("input_id", "code", "输入", "Input", pattern=r"^[A-Za-z]\w*$"),
        Column(
            "process",
            "choice",
            "过程",
            "Process",
            choices=("training", "enterprise_service", "patent_transfer", "programmes", "enrolment", "seats", "talent"),
            help_zh="使用此数的仿真过程。",
            help_en="The simulated process that uses the number.",
        ),
        Column("path", "text", "路径", "Path", pattern=PATH, help_zh=_PATH_ZH, help_en=_PATH_EN),
        Column(
            "distribution",
            "choice",
            "分布",
            "Distribution",
            required=False,
            choices=(*DISTRIBUTIONS, "uniform"),
            help_zh="空:分布和范围写在路径所指的行里,不重复。",
            help_en="Empty: distribution and range stand in the row that the path leads to, and only there.",
        ),
        Column("low", "number", "下限", "Low", required=False),
        Column("mode", "number", "最可能值", "Mode", required=False),
        Column("high", "number", "上限", "High", required=False),
        source_column(),
        basis_column(),
    ),
    required=False,
    may_be_empty=True,
    help_zh="没有人选择、只能估计的量:每个过程使用的不确定输入及其所在位置;范围如在此重写,必须与该处一致。",
    help_en="What nobody chooses: every uncertain input of each process and where it stands; a range repeated here "
    "must be the same as there.",
)

REGISTRIES: tuple[Registry, ...] = (LEVERS, UNCERTAINTIES)
