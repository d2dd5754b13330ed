"""Registries of the ledger of people: how many teachers an institution has, and what their time is promised to."""

from __future__ import annotations

from zjsim.tables.registries.institutions import MOE_CODE
from zjsim.tables.registries.services import parameter_columns
from zjsim.tables.schema import Column, Registry, basis_column, source_column

STAFF_CLASSES = ("research", "other_undergraduate", "double_high", "other_college")
"""Classes of institutions for marginal values: double first class and provincial key, other undergraduate ones,
Double-High colleges, other colleges."""

INSTITUTION_STAFF = Registry(
    "institution_staff",
    "学校人员",
    "People of institutions",
    key=("moe_code",),
    columns=(
        Column("moe_code", "code", "学校代码", "Institution", pattern=MOE_CODE, ref="universities.moe_code"),
        Column(
            "staff_class",
            "choice",
            "学校类型",
            "Class",
            choices=STAFF_CLASSES,
            help_zh="research 双一流和省重点高校；other_undergraduate 其他本科；"
            "double_high 双高院校；other_college 其他高职。",
            help_en="research: double first class and provincial key; other_undergraduate: others of this level; "
            "double_high: Double-High colleges; other_college: other colleges.",
        ),
        Column(
            "teachers",
            "integer",
            "专任教师",
            "Full-time teachers",
            unit="persons",
            minimum=0,
            help_zh="一人只计一次：承担社会培训的院校取培训机构表的教师数，其余取服务团队表的教师数。",
            help_en="Everybody once: training providers have their teachers there, the others those of service_teams.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="人员台账的人数。见于文件的教师数标 press 或 derived，其余为按全省总数合成。",
    help_en="Heads of the ledger of people. Numbers read in documents are marked press or derived; the others are "
    "synthetic within the provincial totals.",
)

PEOPLE_PARAMETERS = Registry(
    "people_parameters",
    "人员参数",
    "Parameters of people",
    key=("parameter_id",),
    columns=parameter_columns(r"^PE\d{2}$", "people"),
    help_zh="人员台账所需的参数：一年工时、教师对外时间上限、任职、平台和访问工程师。",
    help_en="What the ledger of people needs: hours of a year, the most time given outside, posts, platforms, visits.",
)

REGISTRIES: tuple[Registry, ...] = (INSTITUTION_STAFF, PEOPLE_PARAMETERS)
