"""Registries of the numbers that drive the simulated processes: ranges, seasons, and what of them was seen."""

from __future__ import annotations

from zjsim.tables.schema import Column, Registry, basis_column, source_column

DISTRIBUTIONS = (
    "triangular",
    "lognormal",
    "beta",
    "exponential",
    "poisson",
    "discrete",
    "multinomial",
    "constant",
    "calendar",
    "monthly_index",
    "scheduled",
    "seasonal",
    "derived",
)
"""triangular (low, mode, high); lognormal: median = mode, sigma = ln(high / low) / 3.29; beta: PERT on the three."""

PARAMETER_ID = r"^PP\d{2}[a-c]?$"

PROCESS_PARAMETERS = Registry(
    "process_parameters",
    "过程参数",
    "Process parameters",
    key=("parameter_id",),
    columns=(
        Column("parameter_id", "code", "参数", "Parameter", pattern=PARAMETER_ID),
        Column(
            "process",
            "choice",
            "过程",
            "Process",
            choices=(
                "training",
                "enterprise_service",
                "technology_transfer",
                "platforms",
                "overseas_colleges",
                "consortia",
                "school_admission",
            ),
        ),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("low", "number", "下限", "Low", minimum=0),
        Column("mode", "number", "最可能值", "Mode", minimum=0),
        Column("high", "number", "上限", "High", minimum=0),
        Column(
            "distribution",
            "choice",
            "分布",
            "Distribution",
            choices=DISTRIBUTIONS,
            help_zh="triangular 三点；lognormal 中位数为最可能值，σ = ln(上限÷下限)÷3.29；beta 为三点 PERT。",
            help_en="triangular; lognormal: median = mode, σ = ln(high ÷ low) ÷ 3.29; beta: PERT on the three.",
        ),
        Column(
            "role",
            "choice",
            "用途",
            "Role",
            choices=("input", "derived_check", "required_pace"),
            help_zh="只有 input 可作输入；required_pace 是目标所要求的速度，绝不作输入。",
            help_en="Only input may feed a model; required_pace is what a target asks for and never an input.",
        ),
        Column(
            "value_seen",
            "choice",
            "见于文件的值",
            "Values seen",
            required=False,
            choices=("low", "mode", "high"),
            separator=";",
            help_zh="三个值中哪些见于文件或由文件数字算出；空表示都没有。",
            help_en="Which of the three were read in, or computed from, a document; empty: none.",
        ),
        Column(
            "value_computed",
            "boolean",
            "由公开数算出",
            "Computed from published figures",
            help_zh="见到的值是由公布的数字算出，而不是原样公布。",
            help_en="The values seen were computed from published figures, not printed as such.",
        ),
        Column(
            "region",
            "choice",
            "测得地区",
            "Measured in",
            required=False,
            choices=("zhejiang", "china", "abroad"),
            help_zh="见到的值来自何处；空表示没有见到的值。",
            help_en="Where the values seen were measured; empty: none were seen.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="依据按整个范围判定：三个值都见于文件才是 official 或 press；三个值都由公布数字算出"
    "（或第三个值是两端的中点、与其一相同）为 derived；只要有一个值是假定，或数值测自国外，整个范围就是 assumption；"
    "凭一般了解的为 unverified。来源是见到的那个值的来源。",
    help_en="The basis judges the whole range: official or press only if all three values were read in a document; "
    "derived if all three follow from published figures (or the third is the midpoint of, or equal to, the two seen); "
    "assumption as soon as one of the three is assumed or the values were measured abroad; unverified if from general "
    "knowledge. The source is that of the values seen.",
)

MONTHLY_INDICES = Registry(
    "monthly_indices",
    "月度指数",
    "Monthly indices",
    key=("index_id", "month"),
    columns=(
        Column(
            "index_id",
            "code",
            "参数",
            "Parameter",
            ref="process_parameters.parameter_id|training_parameters.parameter_id",
        ),
        Column("month", "integer", "月份", "Month", minimum=1, maximum=12),
        Column("value", "number", "指数", "Index", minimum=0, maximum=12),
        source_column(),
        basis_column(),
    ),
    help_zh="每个参数 12 个月，合计 12（平均 1）。",
    help_en="Twelve months per parameter, adding up to 12 (mean 1).",
)

REGISTRIES: tuple[Registry, ...] = (PROCESS_PARAMETERS, MONTHLY_INDICES)
