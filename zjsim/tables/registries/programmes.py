"""Registries of programmes: platforms, colleges, communities, consortia, centres, and the sibling rule by county."""

from __future__ import annotations

from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

MECHANISMS = ("pipeline", "batches", "milestone", "diffusion")
"""How a programme grows: projects started one by one and set up; approvals in scheduled batches; one project;
adoption by counties."""

PARAMETER_REF = "process_parameters.parameter_id|programme_parameters.parameter_id"
PROGRAMME_ID = r"^[a-z][a-z0-9_]*$"


def _parameter(name: str, zh: str, en: str, help_zh: str, help_en: str) -> Column:
    return Column(name, "code", zh, en, required=False, ref=PARAMETER_REF, help_zh=help_zh, help_en=help_en)


def _outcome(name: str, zh: str, en: str, help_zh: str, help_en: str, separator: str = "") -> Column:
    return Column(
        name,
        "code",
        zh,
        en,
        required=False,
        pattern=PROGRAMME_ID,
        separator=separator,
        help_zh=help_zh,
        help_en=help_en,
    )


PROGRAMMES = Registry(
    "programmes",
    "建设项目",
    "Programmes",
    key=("programme_id",),
    columns=(
        Column("programme_id", "code", "项目", "Programme", pattern=PROGRAMME_ID),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("measures", "code", "条目", "Measures", ref="measures.measure_id", separator=";"),
        Column(
            "mechanism",
            "choice",
            "增长方式",
            "Mechanism",
            choices=MECHANISMS,
            help_zh="pipeline 逐个启动建设；batches 按批次认定；milestone 单个项目；diffusion 逐县推开。",
            help_en="pipeline: one by one; batches: approved together; milestone: one project; diffusion: by county.",
        ),
        Column("stock", "integer", "已有数量", "In existence", minimum=0),
        Column("stock_date", "date", "数量日期", "Date of the stock"),
        Column(
            "historic_mean_stock",
            "number",
            "历史平均数量",
            "Mean stock in the past",
            minimum=0,
            help_zh="净增速度观察期内的平均数量，用来加回期间关闭的数量。",
            help_en="Mean stock while the net pace was observed: closures of that time are added back with it.",
        ),
        _parameter("pace_parameter", "净增速度", "Net pace", "pipeline：每年净增", "pipeline: net openings a year"),
        _parameter("setup_parameter", "建设周期", "Set-up time", "从启动到开办（月）", "months from start to opening"),
        _parameter("failure_parameter", "开办前失败", "Failure", "失败概率", "chance of failing before opening"),
        _parameter("closure_parameter", "关闭率", "Closure", "每年关闭风险", "hazard of closing per year"),
        _parameter("interval_parameter", "批次间隔", "Interval", "batches：间隔（月）", "batches: months between"),
        _parameter("size_parameter", "每批数量", "Batch size", "batches：每批认定数", "batches: approvals in one"),
        _outcome("outcome_new", "新增结果", "Outcome: new", "每年新增（流量）", "new ones a year (flow)"),
        _outcome("outcome_level", "存量结果", "Outcome: level", "年末存量，可多个", "level at year end; several", ";"),
        _outcome("outcome_ever", "累计结果", "Outcome: ever", "累计开办数（年末）", "ever opened, at year end"),
        source_column(),
        basis_column(),
    ),
    help_zh="每个项目的起点和所用参数。依据一栏说明已有数量；速度只用历史或已公布的，绝不用目标所需的。",
    help_en="Where each programme starts and which parameters drive it. The basis speaks of the stock; the pace is "
    "historic or declared, never the one a target requires.",
)

PROGRAMME_BATCHES = Registry(
    "programme_batches",
    "认定批次",
    "Approval batches",
    key=("programme_id", "date"),
    columns=(
        Column("programme_id", "code", "项目", "Programme", ref="programmes.programme_id"),
        Column("date", "date", "日期", "Date"),
        Column("stage", "choice", "阶段", "Stage", choices=("call", "approval")),
        Column("approved", "integer", "认定数", "Approved", required=False, minimum=0),
        source_column(),
        basis_column(),
    ),
    help_zh="已公布的申报通知和认定批次；其后的批次按间隔推算。",
    help_en="Calls and approvals that were published; later batches follow at the interval.",
)

PROGRAMME_PARAMETERS = Registry(
    "programme_parameters",
    "建设项目参数",
    "Parameters of programmes",
    key=("parameter_id",),
    columns=parameter_columns(r"^GP\d{2}$", "programmes"),
    help_zh="过程参数表之外、建设项目模型所需的参数。",
    help_en="What the model of programmes needs beyond the process parameters.",
)

SIBLING_RULE = Registry(
    "sibling_rule",
    "长幼随学",
    "Sibling rule by county",
    key=("county_code",),
    columns=(
        Column("county_code", "code", "县（市、区）", "County", ref="counties.county_code"),
        Column("in_force", "boolean", "基准日已施行", "In force at the as-of date"),
        source_column(),
        basis_column(),
    ),
    help_zh="各县施行状态未系统公布；见于报道的为 press，其余按合成方法给出，须以实际通知替换。",
    help_en="The state by county is not published as a list: press where reported, else synthetic, to be replaced by "
    "the notices.",
)

POINTS_RULE = Registry(
    "points_rule",
    "积分入学",
    "Points rule by county",
    key=("county_code",),
    columns=(
        Column("county_code", "code", "县（市、区）", "County", ref="counties.county_code"),
        Column("in_force", "boolean", "基准日已施行", "In force at the as-of date"),
        source_column(),
        basis_column(),
    ),
    help_zh="“居住证＋积分”入学（M109）在各县的施行状态：见于入学规则登记表的按报道，其余按合成方法给出，须以实际通知替换。",
    help_en="Residence permit and points (M109) by county: as reported in the registry of admission rules, else "
    "synthetic, to be replaced by the notices.",
)

REGISTRIES: tuple[Registry, ...] = (PROGRAMMES, PROGRAMME_BATCHES, PROGRAMME_PARAMETERS, SIBLING_RULE, POINTS_RULE)
