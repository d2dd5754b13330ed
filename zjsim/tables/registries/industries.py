"""Registries of industries to be served, where they are, and how close each discipline is to them."""

from __future__ import annotations

from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

INDUSTRY_ID = r"^(X415|W[1-4]|C(0[1-9]|1[0-5])|H(0[1-9]|10))$"

INDUSTRIES = Registry(
    "industries",
    "产业",
    "Industries",
    key=("industry_id",),
    columns=(
        Column("industry_id", "code", "产业编号", "Industry", pattern=INDUSTRY_ID),
        Column(
            "kind",
            "choice",
            "类别",
            "Kind",
            choices=("program_total", "world_class_cluster", "provincial_cluster", "heritage"),
            help_zh="provincial_cluster（C01–C15）即“主要产业”；heritage（H01–H10）为历史经典产业。",
            help_en="provincial_cluster (C01–C15) are the main industries; heritage (H01–H10) the historical classics.",
        ),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("parent_id", "code", "上级", "Belongs to", required=False, ref="industries.industry_id"),
        Column("parent_basis", "choice", "归类依据", "Basis of the grouping", required=False, choices=BASES),
        Column(
            "revenue_2027_trillion_yuan",
            "number",
            "2027年营业收入目标",
            "Revenue goal for 2027",
            unit="trillion yuan",
            required=False,
            minimum=0,
            help_zh="只有总目标公开，分集群目标未见。",
            help_en="Only the total is public; no goal per cluster was found.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="“415X”总体、4 个世界级产业群、15 个省级特色产业集群、10 个历史经典产业。",
    help_en="The 415X total, 4 world-class groups, 15 provincial clusters and 10 heritage industries.",
)

INDUSTRY_PLACES = Registry(
    "industry_places",
    "产业所在地",
    "Places of industries",
    key=("industry_id", "place_code"),
    columns=(
        Column("industry_id", "code", "产业", "Industry", ref="industries.industry_id"),
        Column(
            "place_code",
            "code",
            "地点代码",
            "Place code",
            pattern=r"^33\d{4}$",
            ref="counties.county_code|cities.city_code",
        ),
        Column("place_level", "choice", "层级", "Level", choices=("county", "city")),
        Column(
            "role",
            "choice",
            "角色",
            "Role",
            choices=("core_area", "coordination_area", "known_location"),
            help_zh="known_location 为一般了解的集聚地，不是官方认定。",
            help_en="known_location is general knowledge, not an official designation.",
        ),
        Column("place_zh", "text", "文件中的地名", "Place as named"),
        source_column(),
        basis_column(),
    ),
    help_zh="核心区名单不完整：41 个中仅见 6 个。",
    help_en="The list of core areas is incomplete: 6 of 41 were seen.",
)

RELEVANCE = Registry(
    "relevance",
    "学科与产业相关度",
    "Relevance of disciplines to industries",
    key=("discipline_code", "industry_id"),
    columns=(
        Column("discipline_code", "code", "学科代码", "Discipline", ref="disciplines.discipline_code"),
        Column("industry_id", "code", "产业", "Industry", ref="industries.industry_id"),
        Column(
            "relevance",
            "integer",
            "相关度",
            "Relevance",
            minimum=0,
            maximum=3,
            help_zh="3 核心，2 重要，1 有关；未列出的组合为 0。",
            help_en="3 core, 2 important, 1 related; a pair that is not listed counts as 0.",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="专家判断，可由使用者替换。",
    help_en="Expert judgement, for users to replace.",
)

INDUSTRY_TOTALS = Registry(
    "industry_totals",
    "产业总量",
    "Industry totals",
    key=("total_id",),
    columns=(
        Column("total_id", "code", "编号", "Total", pattern=r"^[a-z0-9_]{1,60}$"),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("year", "integer", "年份", "Year", minimum=2010, maximum=2030),
        Column("value", "number", "数值", "Value", minimum=0),
        Column("unit", "text", "单位（英文）", "Unit"),
        Column("unit_zh", "text", "单位", "Unit in Chinese"),
        Column("nature", "choice", "性质", "Nature", choices=("actual", "goal")),
        source_column(),
        basis_column(),
    ),
    help_zh="公开总量，用于核对。",
    help_en="Public totals to check against.",
)

REGISTRIES: tuple[Registry, ...] = (INDUSTRIES, INDUSTRY_PLACES, RELEVANCE, INDUSTRY_TOTALS)
