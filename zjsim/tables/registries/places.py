"""Registries of places and people: counties, cities, residents and births."""

from __future__ import annotations

from zjsim.tables.schema import BASES, Column, Registry, basis_column, source_column

COUNTY_CODE = r"^33\d{4}$"
CITY_CODE = r"^33\d{2}00$"


def _share(name: str, zh: str, en: str) -> Column:
    """A share between 0 and 1 of a county's residents of 2020."""
    return Column(name, "number", zh, en, unit="share", minimum=0, maximum=1)


def _age(name: str, zh: str, en: str) -> Column:
    """Residents of an age band in 2020, in persons."""
    return Column(name, "integer", zh, en, unit="persons", minimum=0, maximum=1_000_000)


COUNTIES = Registry(
    "counties",
    "县（市、区）",
    "Counties",
    key=("county_code",),
    columns=(
        Column(
            "county_code",
            "code",
            "县级代码",
            "County code",
            pattern=COUNTY_CODE,
            help_zh="GB/T 2260 六位代码（来源 src_gbt2260）。",
            help_en="Six-digit GB/T 2260 code (source src_gbt2260).",
        ),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column("city_code", "code", "设区市代码", "City code", pattern=CITY_CODE, ref="cities.city_code"),
        Column("city_zh", "text", "设区市", "City in Chinese"),
        Column("city_en", "text", "设区市（英文）", "City"),
        Column("kind", "choice", "类别", "Kind", choices=("district", "county", "city")),
        Column("is_mountain", "boolean", "山区县", "Mountain county", help_zh="山区 26 县。", help_en="One of 26."),
        Column("is_island", "boolean", "海岛县", "Island county"),
        Column("flags_basis", "choice", "山区海岛依据", "Basis of the two flags", choices=BASES),
        Column(
            "is_mountain_island_25",
            "boolean",
            "山区海岛25县",
            "One of the 25 mountain and island counties",
            help_zh="2024 年底名单，来源 src_mountain_island_25_2025。",
            help_en="List at the end of 2024, source src_mountain_island_25_2025.",
        ),
        Column(
            "quality_balanced_year",
            "integer",
            "优质均衡县年份",
            "Year recognised as quality-balanced",
            required=False,
            minimum=2015,
            maximum=2030,
            help_zh="义务教育优质均衡发展县认定年份，来源 src_quality_balanced_2025；空表示未见认定。",
            help_en="Recognition for compulsory education, source src_quality_balanced_2025; empty: none seen.",
        ),
        Column("status_basis", "choice", "名单依据", "Basis of the list and the year", choices=BASES),
        Column("population_2020", "integer", "2020年常住人口", "Residents 2020", unit="persons", minimum=1),
        _age("age_0", "0岁", "Age 0"),
        _age("age_1_4", "1–4岁", "Age 1–4"),
        _age("age_5_9", "5–9岁", "Age 5–9"),
        _age("age_10_14", "10–14岁", "Age 10–14"),
        _age("age_0_14", "0–14岁", "Age 0–14"),
        Column(
            "ages_basis",
            "choice",
            "年龄依据",
            "Basis of the ages",
            choices=BASES,
            help_zh="由四位小数的年龄占比乘以人口推算，各段之和与0–14岁合计相差至多数百人。",
            help_en="Four-digit shares times residents; the bands miss the 0–14 total by up to some hundreds.",
        ),
        _share("share_hukou_other_township", "户籍在本县其他乡镇", "Hukou in another township of the county"),
        _share("share_hukou_other_county", "户籍在省内其他县", "Hukou in another county of the province"),
        _share("share_hukou_other_province", "户籍在外省", "Hukou in another province"),
        _share("urban_share", "城镇人口占比", "Urban share"),
        Column(
            "shares_basis",
            "choice",
            "占比依据",
            "Basis of the shares",
            choices=BASES,
            help_zh="全年龄口径，不是学生中的随迁子女占比。",
            help_en="All ages: not the share of migrant children among pupils.",
        ),
        Column(
            "estimated_from_old_districts",
            "boolean",
            "由旧区划估计",
            "Estimated from earlier districts",
            help_zh="2021 年杭州区划调整后的五个区，年龄与户籍占比按旧区估计。",
            help_en="Five Hangzhou districts redrawn in 2021: ages and shares taken over from the former districts.",
        ),
        Column(
            "lon",
            "number",
            "经度",
            "Longitude",
            unit="degrees",
            minimum=117.5,
            maximum=123.5,
            help_zh="县域内一点（不是形心），用于计算距离；来源 src_tianditu_boundaries。",
            help_en="A point inside the county (not the centroid), for distances; source src_tianditu_boundaries.",
        ),
        Column("lat", "number", "纬度", "Latitude", unit="degrees", minimum=26.5, maximum=31.6),
        Column("area_km2", "number", "面积", "Area", unit="km2", minimum=10, maximum=6000),
        Column("geometry_basis", "choice", "位置与面积依据", "Basis of point and area", choices=BASES),
        Column(
            "resident_latest_10k",
            "number",
            "最近常住人口",
            "Latest residents",
            unit="10k persons",
            required=False,
            minimum=1,
            maximum=400,
        ),
        Column("resident_latest_year", "integer", "年份", "Year", required=False, minimum=2021, maximum=2030),
        Column(
            "resident_latest_source_id",
            "code",
            "最近常住人口来源",
            "Source of the latest residents",
            required=False,
            ref="sources.source_id",
        ),
        Column(
            "hukou_population_10k",
            "number",
            "户籍人口",
            "Registered population",
            unit="10k persons",
            required=False,
            minimum=1,
            maximum=400,
        ),
        Column("hukou_population_year", "integer", "年份", "Year", required=False, minimum=2020, maximum=2030),
        Column(
            "hukou_population_source_id",
            "code",
            "户籍人口来源",
            "Source of the registered population",
            required=False,
            ref="sources.source_id",
        ),
        source_column(),
        basis_column(),
    ),
    help_zh="90 个县（市、区）。依据一栏指 2020 年常住人口；其余各组数据另列依据。",
    help_en="The 90 counties. The basis is that of the residents of 2020; the other groups of columns carry their own.",
)

CITIES = Registry(
    "cities",
    "设区市",
    "Cities",
    key=("city_code",),
    columns=(
        Column("city_code", "code", "设区市代码", "City code", pattern=CITY_CODE),
        Column("name_zh", "text", "名称", "Name in Chinese"),
        Column("name_en", "text", "英文名称", "Name"),
        Column(
            "seat_county_code",
            "code",
            "市政府所在区",
            "District of the city government",
            pattern=COUNTY_CODE,
            ref="counties.county_code",
        ),
        Column("seat_basis", "choice", "所在区依据", "Basis of the district", choices=BASES),
        Column(
            "lon",
            "number",
            "经度",
            "Longitude",
            unit="degrees",
            minimum=117.5,
            maximum=123.5,
            help_zh="所辖各县代表点按 2020 年人口加权平均。",
            help_en="Mean of the counties' points, weighted by residents of 2020.",
        ),
        Column("lat", "number", "纬度", "Latitude", unit="degrees", minimum=26.5, maximum=31.6),
        source_column(),
        basis_column(),
    ),
    help_zh="11 个设区市。",
    help_en="The 11 cities.",
)

POPULATION = Registry(
    "population",
    "全省常住人口",
    "Residents of the province",
    key=("year",),
    columns=(
        Column("year", "integer", "年份", "Year", minimum=2010, maximum=2040),
        Column("resident_10k", "number", "常住人口", "Residents", unit="10k persons", minimum=5000, maximum=9000),
        source_column(),
        basis_column(),
    ),
    help_zh="年末常住人口。",
    help_en="Residents at the end of each year.",
)

BIRTHS = Registry(
    "births",
    "全省出生人口",
    "Births in the province",
    key=("year",),
    columns=(
        Column("year", "integer", "年份", "Year", minimum=2005, maximum=2040),
        Column(
            "births_10k",
            "number",
            "出生人口",
            "Births",
            unit="10k persons",
            required=False,
            minimum=10,
            maximum=100,
            help_zh="未公布的年份为空，用下限和上限。",
            help_en="Empty where nothing is published: use the low and high values.",
        ),
        Column("low_10k", "number", "下限", "Low", unit="10k persons", required=False, minimum=10, maximum=100),
        Column("high_10k", "number", "上限", "High", unit="10k persons", required=False, minimum=10, maximum=100),
        source_column(),
        basis_column(),
    ),
    help_zh="2024 年起没有数值，只有假定范围，属于不确定因素。",
    help_en="From 2024 there is no value, only an assumed range: an uncertainty.",
)

REGISTRIES: tuple[Registry, ...] = (COUNTIES, CITIES, POPULATION, BIRTHS)
