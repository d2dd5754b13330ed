"""Registry of the seat plan's zones: how a county's children, classrooms and sites spread over its planning zones.

Only shares are kept: a what-if that changes a county's tables changes its zones with them, and the whole numbers of the
zones add up to the county's to the last child and room (:mod:`zjsim.models.seat_zones`).
"""

from __future__ import annotations

from zjsim.tables.registries.places import COUNTY_CODE
from zjsim.tables.registries.schools import ZONE_ID
from zjsim.tables.schema import Column, Registry, basis_column, source_column

_SYNTHETIC_ZH = "合成示例，不对应真实区块；以真实台账逐县替换。"
_SYNTHETIC_EN = "Synthetic: no real zone stands behind a row; replace it county by county with real tables."


def _share(name: str, zh: str, en: str, help_zh: str, help_en: str, *, required: bool = True) -> Column:
    return Column(
        name, "number", zh, en, unit="share", required=required, minimum=0, maximum=1, help_zh=help_zh, help_en=help_en
    )


SEAT_ZONES = Registry(
    "seat_zones",
    "区块学位份额",
    "Seats by planning zone",
    key=("zone_id", "stage"),
    columns=(
        Column("zone_id", "code", "规划区块", "Planning zone", pattern=ZONE_ID, ref="planning_zones.zone_id"),
        Column("stage", "choice", "学段", "Stage", choices=("primary", "junior")),
        Column("county_code", "code", "县级代码", "County code", pattern=COUNTY_CODE, ref="counties.county_code"),
        _share(
            "share_local",
            "本地户籍学生占全县该学段比例",
            "Share of the county’s local children of the stage",
            "一县一学段各区块合计为 1。",
            "The zones of a county and stage add up to 1.",
        ),
        _share(
            "share_migrant",
            "随迁子女占全县该学段比例",
            "Share of the county’s migrant children of the stage",
            "一县一学段各区块合计为 1。",
            "The zones of a county and stage add up to 1.",
        ),
        _share(
            "share_classrooms",
            "普通教室占全县该学段比例",
            "Share of the county’s classrooms of the stage",
            "按基年应保障学生数，公办学校班级数偏差限一成；合计为 1。",
            "By children to seat in the base year, with classes of drawn schools within a tenth; adds up to 1.",
        ),
        _share(
            "share_extension",
            "可扩建教室占全县该学段比例",
            "Share of the county’s possible extension rooms",
            "分配时取整，不足一次最小扩建的并入别的区块。",
            "Whole rooms; less than one smallest extension goes to another zone.",
        ),
        _share(
            "share_sites",
            "可用校址占全县该学段比例",
            "Share of the county’s sites for new schools",
            "按学生数，镇区加权；一县一学段合计为 1。",
            "By children, more in town zones; a county and stage add up to 1.",
        ),
        _share(
            "share_site",
            "现有校园用地占全县该学段比例",
            "Share of the county’s school site of the stage",
            "按教室数，乡村区块人均用地较多；合计为 1；空白按教室比例。",
            "By classrooms, more for a room in rural zones; adds up to 1; empty: as the classrooms.",
            required=False,
        ),
        _share(
            "share_private",
            "民办学位占全县该学段比例",
            "Share of the county’s private places of the stage",
            "民办学校所在区块；合计为 1；空白按随迁子女比例。",
            "Where private schools stand; adds up to 1; empty: as the migrant children.",
            required=False,
        ),
        source_column(),
        basis_column(),
    ),
    required=False,
    help_zh="学位规划按区块分配县表所用的份额；人数和教室按最大余数取整，各区块合计等于县表。"
    "没有区块的县作为一个区块规划。" + _SYNTHETIC_ZH,
    help_en="Shares by which the seat plan spreads the county tables over zones; children and rooms by largest "
    "remainders, so that zones add up to the county. A county without zones is planned as one. " + _SYNTHETIC_EN,
)

REGISTRIES: tuple[Registry, ...] = (SEAT_ZONES,)
