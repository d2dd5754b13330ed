"""Registries of the action plan itself: its clauses, its targets and their readings, sources, and past observations."""

from __future__ import annotations

from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

MEASURE_KINDS = ("quantified_target", "unquantified_target", "mechanism", "registry", "priority_rule")
"""What a clause asks for: a number, a direction, an arrangement, a list to keep, or an order of preference."""

MEASURE_PERIODS = (
    "by_2025",
    "by_2027",
    "cumulative_2027",
    "stock_2027",
    "each_year",
    "coverage",
    "phased",
    "periodic",
    "pilot",
    "standing",
    "ongoing",
)
"""The time a clause speaks of, in our words."""

HANDLERS = (
    "lead_discipline",
    "heritage",
    "platforms",
    "campuses",
    "seat_expansion",
    "seat_placement",
    "training",
    "enterprise_service",
    "patent_transfer",
    "programmes",
    "talent_supply",
    "people",
    "tracking",
    "context",
)
"""The part of the package that treats a clause; ``context`` clauses are read but not computed."""

TARGET_PERIODS = ("cumulative", "per_year", "stock", "cumulative_with_stock", "coverage")
"""How yearly results add up against a bound."""

_SOURCE_ID = r"^(src|method)_[a-z0-9]+(_[a-z0-9]+)*$"
_MEASURE_ID = r"^M\d{3}$"

SOURCES = Registry(
    "sources",
    "来源",
    "Sources",
    key=("source_id",),
    columns=(
        Column(
            "source_id",
            "code",
            "来源编号",
            "Source id",
            pattern=_SOURCE_ID,
            help_zh="src_ 开头为文件或报道；method_ 开头为本项目推算方法。",
            help_en="src_: a document or report; method_: a way of deriving numbers used in this project.",
        ),
        Column("title_zh", "text", "中文名称", "Title in Chinese"),
        Column("title_en", "text", "英文名称", "Title in English", required=False),
        Column("publisher", "text", "发布者", "Publisher", required=False),
        Column("year", "text", "年份", "Year", required=False, pattern=r"^\d{4}([-–/]\d{1,4})*$"),
        Column("url", "text", "网址", "Address", required=False, pattern=r"^https?://\S+$"),
        Column("note_zh", "text", "说明", "Note in Chinese", required=False),
        Column("note_en", "text", "英文说明", "Note in English", required=False),
    ),
    help_zh="每份被引用的文件一行，引用原始文件而不是转载它的数据集；推算方法也作为来源登记。",
    help_en="One row per document cited (itself, not the collection it was read in), and one per method.",
)

MEASURES = Registry(
    "measures",
    "行动计划条目",
    "Measures of the action plan",
    key=("measure_id",),
    columns=(
        Column("measure_id", "code", "条目编号", "Measure", pattern=_MEASURE_ID),
        Column("section", "text", "章节", "Section", pattern=r"^[一二三]([（(][一二三四][）)]\d?)?$"),
        Column(
            "text_zh", "text", "原文", "Text of the plan", help_zh="行动计划原文片段。", help_en="Words of the plan."
        ),
        Column("kind", "choice", "性质", "Kind", choices=MEASURE_KINDS),
        Column("indicator_zh", "text", "指标", "Indicator in Chinese"),
        Column("indicator_en", "text", "指标（英文）", "Indicator"),
        Column("unit", "text", "单位（英文）", "Unit", required=False),
        Column("unit_zh", "text", "单位", "Unit in Chinese", required=False),
        Column("period", "choice", "时间口径", "Period", choices=MEASURE_PERIODS),
        Column(
            "target_value",
            "text",
            "目标值",
            "Target value",
            required=False,
            help_zh="原文给出的数值或方向；未量化则为空。",
            help_en="The number or direction the text gives; empty where it gives none.",
        ),
        Column(
            "handled_by",
            "choice",
            "处理部分",
            "Handled by",
            choices=HANDLERS,
            help_zh="由哪一部分计算或跟踪；context 表示仅作背景。",
            help_en="Which part computes or tracks the clause; context means it is background only.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="行动计划逐条登记。依据一栏只说明原文文字的来历；性质、指标、处理部分为本项目判断。",
    help_en="Every clause of the plan. The basis speaks of the wording; kind, indicator and handler are our judgement.",
)

TARGETS = Registry(
    "targets",
    "目标与读法",
    "Targets and their readings",
    key=("target_id", "reading"),
    columns=(
        Column("target_id", "code", "目标", "Target", pattern=r"^[a-z][a-z0-9_]*$"),
        Column("reading", "code", "读法", "Reading", pattern=r"^[a-z][a-z0-9_]*$"),
        Column(
            "is_default",
            "boolean",
            "默认读法",
            "Default reading",
            help_zh="每个目标至多一个默认读法；行动计划之外的目标没有。",
            help_en="At most one default reading per target; a target from outside the plan has none.",
        ),
        Column("measures", "code", "条目", "Measures", ref="measures.measure_id", separator=";"),
        Column("indicator_zh", "text", "指标", "Indicator in Chinese"),
        Column("indicator_en", "text", "指标（英文）", "Indicator"),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("comparator", "choice", "比较方式", "Comparator", choices=(">=", "not_falling")),
        Column(
            "bound",
            "number",
            "目标值",
            "Bound",
            required=False,
            minimum=0,
            help_zh="“不下降”类目标没有数值。",
            help_en="Empty where the target is only that the level must not fall.",
        ),
        Column("period", "choice", "时间口径", "Period", choices=TARGET_PERIODS),
        Column("start", "date", "起算日", "Start"),
        Column("deadline", "date", "截止日", "Deadline"),
        Column("what_counts_zh", "text", "计入范围", "What counts, in Chinese"),
        Column("what_counts_en", "text", "计入范围（英文）", "What counts"),
        Column("has_baseline", "boolean", "有公开基数", "Public baseline"),
        Column("baseline", "number", "基数", "Baseline", required=False, minimum=0),
        Column("baseline_year", "integer", "基数年份", "Baseline year", required=False, minimum=2010, maximum=2027),
        Column("baseline_basis", "choice", "基数依据", "Basis of the baseline", required=False, choices=BASES),
        Column(
            "outcome",
            "code",
            "对应结果",
            "Outcome",
            required=False,
            pattern=r"^[a-z][a-z0-9_]*$",
            help_zh="由仿真给出的结果名称；为空表示尚未建模。",
            help_en="The simulated outcome that answers the target; empty: not modelled yet.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="目标 × 读法。依据一栏说明目标值的来历；读法、起算日和计入范围是本项目对文字的解释。",
    help_en="Target × reading. The basis speaks of the bound; reading, start and what counts are our interpretation.",
)

OBSERVATIONS = Registry(
    "observations",
    "已有数据",
    "Observations",
    key=("observation_id",),
    columns=(
        Column("observation_id", "code", "编号", "Observation", pattern=r"^O\d{3}$"),
        Column(
            "measure_id",
            "code",
            "条目",
            "Measure",
            required=False,
            ref="measures.measure_id",
            help_zh="最接近的条目；背景数据为空。",
            help_en="The nearest clause; empty for background figures.",
        ),
        Column("indicator_zh", "text", "指标", "Indicator in Chinese"),
        Column("indicator_en", "text", "指标（英文）", "Indicator"),
        Column("date", "text", "时间", "Date", pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"),
        Column("value", "number", "数值", "Value", minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("area_zh", "text", "范围", "Area in Chinese"),
        Column("area_en", "text", "范围（英文）", "Area"),
        Column(
            "nature",
            "choice",
            "性质",
            "Nature",
            choices=("actual", "goal", "projection", "rule"),
            help_zh="实际、目标、预测或规则；目标不是成绩。",
            help_en="A result, a goal, a projection or a rule; a goal is not a result.",
        ),
        Column("precision", "choice", "精度", "Precision", choices=("as_published", "about", "over", "nearly")),
        source_column(),
        basis_column(),
    ),
    help_zh="2019–2025 年间公开数据。人次、人日、家次、户、件、项口径不同，不可相加。",
    help_en="Public figures, mostly of 2019–2025. Person-times, person-days, visits, firms and items never add up.",
)

REGISTRIES: tuple[Registry, ...] = (SOURCES, MEASURES, TARGETS, OBSERVATIONS)
