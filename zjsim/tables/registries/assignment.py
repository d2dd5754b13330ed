"""Registries that steer the assignment of universities to industries: special rules, craft links, cooperation."""

from __future__ import annotations

from zjsim.tables.schema import Column, Registry, basis_column, source_column

_INDUSTRY = "industries.industry_id"
_UNIVERSITY = "universities.moe_code"

RULES = Registry(
    "rules",
    "特别规定",
    "Special rules",
    key=("rule_id",),
    columns=(
        Column("rule_id", "code", "规定编号", "Rule", pattern=r"^R\d{3}$"),
        Column(
            "kind",
            "choice",
            "类型",
            "Kind",
            choices=("pinned", "forbidden", "paired"),
            help_zh="pinned 指定；forbidden 禁止；paired 两个产业由同一所学校牵头。",
            help_en="pinned: must serve; forbidden: must not; paired: one institution leads both industries.",
        ),
        Column(
            "industry_id",
            "code",
            "产业",
            "Industry",
            required=False,
            ref=_INDUSTRY,
            help_zh="主要产业 C01–C15 或历史经典产业 H01–H10；空只用于 forbidden，表示所有产业。",
            help_en="C01–C15 (main) or H01–H10 (heritage); empty, for forbidden only, means every one.",
        ),
        Column(
            "moe_code",
            "code",
            "学校",
            "Institution",
            required=False,
            ref=_UNIVERSITY,
            help_zh="paired 时为空；forbidden 时空表示所有学校。",
            help_en="Empty for paired; for forbidden, empty means every institution.",
        ),
        Column(
            "discipline_code",
            "code",
            "学科",
            "Discipline",
            required=False,
            ref="disciplines.discipline_code",
            help_zh="空表示该校任何学科；历史经典产业不用此列。",
            help_en="Empty means any discipline of the institution; not used for heritage industries.",
        ),
        Column(
            "role",
            "choice",
            "角色",
            "Role",
            required=False,
            choices=("lead", "partner", "support"),
            help_zh="lead 牵头；partner 历史经典产业的协作；support 主要产业的支撑。空表示任一角色，"
            "但主要产业的 pinned 为空时指牵头。",
            help_en="lead; partner: in a heritage industry; support: of a main industry. Empty means any role; "
            "for a pinned main industry it means the lead.",
        ),
        Column("paired_industry_id", "code", "同校牵头的产业", "Industry led together", required=False, ref=_INDUSTRY),
        Column("reason_zh", "text", "理由", "Reason in Chinese", required=False),
        Column("reason_en", "text", "英文理由", "Reason", required=False),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="由计划者指定的例外；基准方案为空。",
    help_en="Exceptions set by the planner; empty in the baseline.",
)

CRAFT_LINKS = Registry(
    "craft_links",
    "院校与技艺的联系",
    "Links of institutions to crafts",
    key=("moe_code", "industry_id"),
    columns=(
        Column("moe_code", "code", "学校", "Institution", ref=_UNIVERSITY),
        Column("industry_id", "code", "历史经典产业", "Heritage industry", ref=_INDUSTRY, pattern=r"^H(0[1-9]|10)$"),
        Column(
            "link",
            "integer",
            "联系强度",
            "Strength of the link",
            minimum=0,
            maximum=3,
            help_zh="3 专设学院或牵头单位，2 有该技艺的专业或长期合作，1 有课程或工作室；未列出的组合为 0。",
            help_en="3 a college for the craft or a named lead, 2 a programme or long cooperation, "
            "1 courses or a studio; a pair that is not listed counts as 0.",
        ),
        Column("link_zh", "text", "内容", "What links them, in Chinese"),
        Column("link_en", "text", "内容（英文）", "What links them"),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="学校自身的技艺学院、专业或合作；名单不完整，未核实的应在使用前核对。"
    "历史经典产业“1+1”评分权重的依据是计划原文（M012“对接赋能历史经典产业高水平传承高质量发展”）："
    "传承靠懂这门技艺的人，所以技艺在牵头和协作中都占一半；赋能靠研究，所以牵头院校的学科实力占四分之一；"
    "力量下沉看离产地远近，牵头占四分之一、协作占一半，协作院校不看排名。"
    "权重是方案参数 assignment.heritage_lead_weight_* 与 assignment.heritage_partner_weight_*，可以修改；"
    "每条方案在多少次抽取的权重下成立，见表 assignment_frequencies。",
    help_en="Colleges, programmes or cooperation in the craft itself; incomplete; check unverified rows before use. "
    "The weights of the score for the heritage '1+1' follow the plan's words (M012): 传承 (handing down) needs people "
    "who practise the craft, so craft weighs half in both roles; 赋能 (giving new strength) needs research, so the "
    "lead's discipline strength weighs a quarter; 力量下沉 (going to where the work is) weighs closeness to the place, "
    "a quarter for the lead and half for the partner, whose rank does not count. They are the scenario parameters "
    "assignment.heritage_lead_weight_* and assignment.heritage_partner_weight_*; the table assignment_frequencies says "
    "in how many draws of the weights each choice stands.",
)

COOPERATION = Registry(
    "cooperation",
    "已有合作",
    "Existing cooperation",
    key=("moe_code", "industry_id"),
    columns=(
        Column("moe_code", "code", "学校", "Institution", ref=_UNIVERSITY),
        Column("industry_id", "code", "主要产业", "Main industry", ref=_INDUSTRY, pattern=r"^C(0[1-9]|1[0-5])$"),
        Column(
            "cooperation",
            "number",
            "合作程度",
            "Degree of cooperation",
            minimum=0,
            maximum=1,
            help_zh="0 无，1 最深；未列出的组合为未知，不是零。",
            help_en="0 none, 1 closest; a pair that is not listed is unknown, not zero.",
        ),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="没有公开数据，基准方案为空，权重为零；使用者可填入合同额等数据换算的程度。",
    help_en="No public data: empty in the baseline with weight 0; users may enter a degree derived from contracts.",
)

INDUSTRY_LOADS = Registry(
    "industry_loads",
    "牵头一个产业的工作量",
    "Load of leading an industry",
    key=("industry_id",),
    columns=(
        Column("industry_id", "code", "主要产业", "Main industry", ref=_INDUSTRY, pattern=r"^C(0[1-9]|1[0-5])$"),
        Column("load", "number", "工作量", "Load", minimum=0, help_zh="未列出为 1。", help_en="1 where not listed."),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="只用于读法 several_within_capacity：每个产业占用牵头学科多少能力；基准方案为空，每个产业为 1。",
    help_en="For the reading several_within_capacity: what an industry takes of its lead's capacity; empty: 1 each.",
)

LEAD_CAPACITIES = Registry(
    "lead_capacities",
    "牵头能力",
    "Capacity to lead",
    key=("moe_code", "discipline_code"),
    columns=(
        Column("moe_code", "code", "学校", "Institution", ref=_UNIVERSITY),
        Column(
            "discipline_code",
            "code",
            "学科",
            "Discipline",
            required=False,
            ref="disciplines.discipline_code",
            help_zh="空表示全校合计的能力。",
            help_en="Empty: the capacity of the whole institution.",
        ),
        Column(
            "capacity",
            "number",
            "能力",
            "Capacity",
            minimum=0,
            help_zh="学科未列出时用 industries_per_discipline；学校未列出时不另设上限。",
            help_en="A discipline not listed has industries_per_discipline; an institution not listed has no limit.",
        ),
        source_column(),
        basis_column(),
    ),
    may_be_empty=True,
    help_zh="只用于读法 several_within_capacity，与“牵头一个产业的工作量”同一单位；基准方案为空。",
    help_en="For the reading several_within_capacity, in the unit of the industry loads; empty in the baseline.",
)

REGISTRIES: tuple[Registry, ...] = (RULES, CRAFT_LINKS, COOPERATION, INDUSTRY_LOADS, LEAD_CAPACITIES)
