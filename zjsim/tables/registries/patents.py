"""Registries of patent transfer: the stock of each institution, and the numbers of the process."""

from __future__ import annotations

from zjsim.tables.registries.institutions import MOE_CODE
from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

PATENTS = Registry(
    "patents",
    "高校专利",
    "Patents of institutions",
    key=("moe_code",),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution", pattern=MOE_CODE, ref="institution_staff.moe_code"),
        Column("stock", "integer", "存量专利", "Patents in force", unit="patents", minimum=0),
        Column(
            "inventoried",
            "integer",
            "已盘点",
            "Inventoried",
            unit="patents",
            minimum=0,
            help_zh="基准日状态为回推值：2024年3月18日为 50.4%，其后按盘点速度推进。",
            help_en="State at the as-of date is a back-cast: 50.4 % on 18 March 2024, advanced at the pace seen.",
        ),
        Column(
            "transfer_staff",
            "number",
            "转化人员",
            "Transfer staff",
            unit="persons",
            minimum=0,
            help_zh="专职人员（全时）；全国校均人数按专利权重分摊。",
            help_en="Full-time officers; the national mean per institution, shared by patents.",
        ),
        Column(
            "other_contracts_per_year",
            "number",
            "其他转化合同",
            "Other contracts per year",
            unit="contracts per year",
            minimum=0,
            help_zh="技术开发、咨询、服务合同；全国校均合同数按教师数分摊。",
            help_en="Development, consulting, service contracts; the national mean per institution, shared by staff.",
        ),
        Column(
            "inventory_per_month",
            "number",
            "每月盘点能力",
            "Inventory a month",
            unit="patents per month",
            minimum=0,
            help_zh="已见盘点速度（PP54）按存量分摊。",
            help_en="The pace seen (PP54), shared by stock.",
        ),
        Column(
            "promoted_per_year",
            "number",
            "每年推广高价值专利",
            "High-value patents promoted a year",
            unit="patents per year",
            minimum=0,
            help_zh="TP11 按存量分摊。",
            help_en="TP11, shared by stock.",
        ),
        Column(
            "trials_per_year",
            "number",
            "每年免费试用",
            "Free trials a year",
            unit="trials per year",
            minimum=0,
            help_zh="TP13 × TP14 按存量分摊。",
            help_en="TP13 × TP14, shared by stock.",
        ),
        Column(
            "listed",
            "number",
            "现有“先用后转”清单",
            "On trial lists today",
            unit="results",
            minimum=0,
            help_zh="TP15 × TP14 按存量分摊。",
            help_en="TP15 × TP14, shared by stock.",
        ),
        Column(
            "empowered_per_year",
            "number",
            "每年新增赋权成果",
            "Further results empowered a year",
            unit="results per year",
            minimum=0,
            help_zh="TP20 按存量分摊。",
            help_en="TP20, shared by stock.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="分校专利未公开：由全省存量（约 91,270 件，含科研院所）按学校类别、门类和上榜学科数合成。",
    help_en="Patents by institution are not public: the provincial stock (about 91,270, institutes included) is split "
    "by kind, category and number of graded disciplines.",
)

PATENT_PARAMETERS = Registry(
    "patent_parameters",
    "专利转化参数",
    "Parameters of patent transfer",
    key=("parameter_id",),
    columns=parameter_columns(r"^TP\d{2}$", "technology_transfer"),
    help_zh="过程参数表之外、专利转化模型所需的参数。",
    help_en="What the model of patent transfer needs beyond the process parameters.",
)

REGISTRIES: tuple[Registry, ...] = (PATENTS, PATENT_PARAMETERS)
