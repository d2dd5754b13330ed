"""Registries of carrying out and following up the plan: who does what until when, and what has been achieved."""

from __future__ import annotations

from zjsim.tables.schema import Column, Registry, basis_column, source_column

LEVELS = ("province", "city", "county", "institution")
"""The level at which a task is carried out; M123 asks province, city and county to act together."""

_BODY = r"^[a-z][a-z0-9_]*$"
_QUARTER = r"^20[2-3]\d-Q[1-4]$"

BODIES = Registry(
    "bodies",
    "责任单位",
    "Responsible bodies",
    key=("body_id",),
    columns=(
        Column("body_id", "code", "单位编号", "Body", pattern=_BODY),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("level", "choice", "层级", "Level", choices=LEVELS),
        Column("named_in_plan", "boolean", "计划点名", "Named in the plan"),
        source_column(),
        basis_column(),
    ),
    help_zh="行动计划点名的部门与各级教育行政部门、高校、职业院校等；“三级联动”的层级见 level。",
    help_en="Departments the plan names, education bodies of each level, universities and vocational institutions.",
)

TASKS = Registry(
    "tasks",
    "任务分解",
    "Tasks",
    key=("measure_id",),
    columns=(
        Column("measure_id", "code", "条目编号", "Measure", ref="measures.measure_id"),
        Column("responsible_body", "code", "牵头单位", "Responsible body", ref="bodies.body_id"),
        Column(
            "co_bodies",
            "code",
            "配合单位",
            "Co-responsible bodies",
            required=False,
            ref="bodies.body_id",
            separator=";",
        ),
        Column("executing_level", "choice", "落实层级", "Level of execution", choices=LEVELS),
        Column("deadline", "date", "完成时限", "Deadline"),
        Column(
            "review_interval_months",
            "integer",
            "梳理间隔",
            "Review interval",
            unit="month",
            minimum=1,
            maximum=12,
            help_zh="M124 要求定期梳理，未写间隔；按季度为本项目设定。",
            help_en="M124 asks for periodic review without an interval; a quarter is our assumption.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="每条举措一行（M121–M124、M138、M150）。计划只在部分条目写明会同部门，其余分工为判断，可按正式任务分解替换。",
    help_en="One row per measure (M121-M124, M138, M150). The plan names partners for some clauses only; the rest is "
    "judgement, to be replaced by the official breakdown.",
)

MILESTONES = Registry(
    "milestones",
    "里程碑",
    "Milestones",
    key=("target_id", "reading", "area_code", "quarter"),
    columns=(
        Column("target_id", "code", "目标", "Target", ref="targets.target_id"),
        Column("reading", "code", "读法", "Reading", ref="targets.reading"),
        Column("area_code", "code", "地区", "Area", pattern=r"^33\d{4}$"),
        Column("quarter", "code", "季度", "Quarter", pattern=_QUARTER),
        Column(
            "value",
            "number",
            "里程碑值",
            "Milestone",
            minimum=0,
            help_zh="至该季度末应达到的数值（累计类自起点累计，按年类自当年一月累计，存量与覆盖类为期末值）。",
            help_en="To be reached by the end of the quarter: since the start for cumulative targets, since January "
            "for yearly ones, the level itself for stocks and coverage.",
        ),
        Column("is_year_end", "boolean", "年度节点", "Year end"),
        source_column(),
        basis_column(),
    ),
    help_zh="由目标按公开规则推算（zjsim.synthesis.tracking），可替换为正式的年度、季度节点。",
    help_en="Derived from the targets by a stated rule (zjsim.synthesis.tracking); replace by the official ones.",
)

ACTUALS = Registry(
    "actuals",
    "实际完成情况",
    "Actuals",
    key=("outcome", "area_code", "quarter"),
    columns=(
        Column(
            "outcome",
            "code",
            "指标",
            "Indicator",
            ref="targets.outcome",
            help_zh="与目标表的 outcome 列一致。",
            help_en="As in the column outcome of the targets.",
        ),
        Column("area_code", "code", "地区", "Area", pattern=r"^33\d{4}$"),
        Column("quarter", "code", "季度", "Quarter", pattern=_QUARTER),
        Column(
            "value",
            "number",
            "完成值",
            "Value",
            minimum=0,
            help_zh="流量类为该季度发生数，水平类为季末值。",
            help_en="The quarter's amount for flows, the level at its end for levels.",
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    may_be_empty=True,
    help_zh="截至基准日（季度末）的完成情况；基准日之前不再模拟，以此为准。"
    "凡目标表 outcome 所列指标均须有全省（330000）数值：流量类自目标起点至基准日每季一行；"
    "水平类须有每个已过年份的第四季度和基准日所在季度。"
    "市、县的行可填可不填，合计不得超过全省，填全时须与全省相等。"
    "基准日之后的行不使用并予以提示。尚无统计数时可填回溯值，依据须标明 synthetic。",
    help_en="What has been achieved up to the as-of date (the end of a quarter); it stands in the place of the "
    "simulated past. Needed for the province (330000), for every outcome that a target names: of a flow every quarter "
    "from the target's start to the as-of date; of a level the fourth quarter of each year that is over and the "
    "quarter of the as-of date. Rows of cities and counties are optional; their sum must not exceed the province's "
    "value, and equal it where all are given. Rows after the as-of date are not used, with a notice. Where nothing has "
    "been counted yet a back-cast may stand, its basis synthetic.",
)

REGISTRIES: tuple[Registry, ...] = (BODIES, TASKS, MILESTONES, ACTUALS)
