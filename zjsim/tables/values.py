"""What a cell must look like for each kind of column, and what a cell that does not was probably meant to be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache

from zjsim.tables.schema import Column

INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})", re.ASCII)
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
ISO_DATE = re.compile(r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)

NEGATIVE_ZERO = re.compile(r"-0(?:\.0*)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
SMALLEST_WRITTEN_OUT = 1e-4
"""Numbers below it may be written with an exponent."""

INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
OUTER_SPACE = re.compile(r"\A\s|\s\Z")
FORMULA = re.compile(r"[=@+](?=\S)|-(?=[A-Za-z(])")
SHEET_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)|#{3,}")
IDENTITY = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])"
)
SUSPICIOUS = re.compile(
    r"\A[\s=@+#-]|\s\Z|[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffd]|[0-9]{17}"
)
"""Found in no ordinary text cell: a cell without it needs no closer look."""

PLACEHOLDERS = frozenset(
    "- -- — —— / \\ . ? ? n/a na none null nan nil tbd 无 暂无 未知 不详 缺 待定 空 没有".split()  # noqa: SIM905
)
_YES = frozenset("yes y true t 1 是 √ ✓ 对 有".split())  # noqa: SIM905
_NO = frozenset("no n false f 0 否 × ✗ 错 无".split())  # noqa: SIM905
_TENS = {"百": 100.0, "千": 1e3, "万": 1e4, "亿": 1e8, "k": 1e3}
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
MOST_CANDIDATES = 5000
"""Beyond so many valid values no nearest one is sought (it would take seconds and help little)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell: the rule, the probable value, and words for the sentence."""

    rule: str
    fix: str = ""
    words: dict[str, object] = field(default_factory=dict)


def plain(value: str) -> str:
    """``value`` in half-width form, without invisible characters and outer spaces."""
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", value)).strip()


def nearest(value: str, valid: Sequence[str], likeness: float = 0.6) -> str:
    """The valid value most like ``value`` ("" if none is at least as like it as ``likeness``, 0 to 1)."""
    if not value or len(valid) > MOST_CANDIDATES:
        return ""
    folded = {v.casefold(): v for v in valid}
    close = get_close_matches(plain(value).casefold(), list(folded), n=1, cutoff=likeness)
    return folded[close[0]] if close else ""


def probable_number(value: str, column: Column) -> str:
    """The number that ``value`` probably means, written as the column wants it ("" if none fits)."""
    well = (INTEGER if column.kind == "integer" else NUMBER).fullmatch
    for candidate in _number_candidates(value, column):
        if well(candidate) and problem_of_range(float(candidate), column) is None:
            return candidate
    return ""


def _number_candidates(value: str, column: Column) -> list[str]:
    text = plain(value).lstrip("'`").replace("−", "-").replace("–", "-").replace("。", ".").replace("、", ",")
    text = re.sub(r"^[约近≈~><≥≤=+¥$€]+|[+余多]$|左右$|以上$", "", text)
    candidates = []
    for t in (text, re.sub(r"(?<=[0-9OolI一-龥])(?:[个所人名班元校家项次台位年月日天]|km|%)$", "", text)):
        t = re.sub(r"^\((.*)\)$", r"-\1", t)
        percent = t.endswith("%")
        t = t.rstrip("%").strip()
        digits = re.sub(r"[Oo]", "0", re.sub(r"[lI|]", "1", t)) if re.search(r"[0-9]", t) else t
        factor = 1.0
        unit = digits[-1:] if digits[-1:] in _TENS else ""
        if unit and re.search(r"[0-9]", digits):
            digits, factor = digits[:-1].strip(), _TENS[unit]
        if re.fullmatch(r"-?[0-9]{1,3}(?:[, '_\u00a0][0-9]{3})+(?:\.[0-9]+)?", digits):
            digits = re.sub(r"[, '_\u00a0]", "", digits)
        digits = re.sub(r"(?<=[0-9])\s+(?=[0-9.])", "", digits)
        digits = re.sub(r"^(-?[0-9]+),([0-9]+)$", r"\1.\2", digits)
        digits = re.sub(r"(?<=[0-9])[oO](?=[0-9]|$)", "0", digits)
        chinese = _chinese_number(digits)
        if chinese is not None:
            digits = str(chinese)
        try:
            number = float(digits)
        except ValueError:
            continue
        if abs(number) > 1e18:
            continue
        if percent and "%" not in column.unit:
            factor /= 100
        candidates.append(_write(number * factor))
        if percent:
            candidates.append(_write(number))
    return candidates


def _write(number: float) -> str:
    rounded = float(f"{number:.12g}")
    return str(int(rounded)) if rounded.is_integer() else repr(rounded)


def _chinese_number(text: str) -> int | None:
    """The value of a number in Chinese characters below one 亿, or None."""
    if not text or any(c not in _DIGITS and c not in "十百千万" for c in text):
        return None
    total = section = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[c]
            digit = 0
    return total + section + digit


def problem_of_number(value: str, column: Column) -> Problem | None:
    """What is wrong with a cell of an integer or number column (None if nothing is)."""
    whole = column.kind == "integer"
    if not (INTEGER if whole else NUMBER).fullmatch(value) or NEGATIVE_ZERO.fullmatch(value):
        if plain(value).casefold() in PLACEHOLDERS:
            return Problem("placeholder" if not column.required else "placeholder_required")
        return Problem("not_integer" if whole else "not_number", probable_number(value, column))
    number = float(value)
    if number in (float("inf"), float("-inf")):
        return Problem("not_number")
    if not is_plain_number(value):
        return Problem("scientific", probable_number(value, column))
    return problem_of_range(number, column)


def is_plain_number(value: str) -> bool:
    """Whether a number is written out; only tiny ones may have an exponent, as this package writes them (1e-05).

    Elsewhere an exponent is what a spreadsheet shows of a number it has cut off.
    """
    if "e" not in value and "E" not in value:
        return True
    return abs(float(value)) < SMALLEST_WRITTEN_OUT and repr(float(value)) == value


def problem_of_range(number: float, column: Column) -> Problem | None:
    """Whether ``number`` lies outside the column's range; a share written in per cent is recognised."""
    low, high = column.minimum, column.maximum
    unit = f" {column.unit}" if column.unit else ""
    if low is not None and number < low:
        fix = _write(-number) if low >= 0 and -number >= low and (high is None or -number <= high) else ""
        return Problem("below_minimum", fix, {"limit": f"{low:g}{unit}"})
    if high is not None and number > high:
        share = high == 1 and column.kind == "number" and (low is None or number / 100 >= low) and number <= 100
        return Problem("above_maximum", _write(number / 100) if share else "", {"limit": f"{high:g}{unit}"})
    return None


def problem_of_boolean(value: str, column: Column) -> Problem | None:
    """Whether a cell is neither ``yes`` nor ``no``."""
    if value in ("yes", "no"):
        return None
    folded = plain(value).casefold()
    return Problem("not_boolean", "yes" if folded in _YES else "no" if folded in _NO else nearest(value, ("yes", "no")))


def problem_of_date(value: str, column: Column) -> Problem | None:
    """Whether a cell is no ISO date of a day that exists."""
    if ISO_DATE.fullmatch(value) and _iso(value):
        return None
    return Problem("not_date", _probable_date(value))


def _iso(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return ""


def _probable_date(value: str) -> str:
    text = plain(value)
    text = re.sub(r"(?<=[0-9])[Oo]|[Oo](?=[0-9])", "0", re.sub(r"(?<=[0-9])[lI]|[lI](?=[0-9])", "1", text))
    parts = re.fullmatch(
        r"([12][0-9]{3})\s*[-/.年_\s]\s*([0-9]{1,2})\s*[-/.月_\s]\s*([0-9]{1,2})\s*日?(?:[ T].*)?", text
    )
    parts = parts or re.fullmatch(r"([12][0-9]{3})([0-9]{2})([0-9]{2})(?:\.0)?", text)
    if parts:
        year, month, day = map(int, parts.groups())
        return _iso(f"{year:04d}-{month:02d}-{day:02d}")
    parts = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([12][0-9]{3})", text)
    if parts:
        a, b, year = map(int, parts.groups())
        return (
            _iso(f"{year:04d}-{a:02d}-{b:02d}")
            if a <= 12 < b
            else _iso(f"{year:04d}-{b:02d}-{a:02d}")
            if b <= 12 < a
            else ""
        )
    serial = re.fullmatch(r"([1-9][0-9]{4})(?:\.0)?", text)
    return (date(1899, 12, 30) + timedelta(days=int(serial[1]))).isoformat() if serial else ""


def problem_of_choice(value: str, column: Column) -> Problem | None:
    """Whether a cell holds none of the column's values."""
    if value in column.choices:
        return None
    listed = ", ".join(column.choices[:12]) + (" …" if len(column.choices) > 12 else "")
    return Problem("unknown_choice", nearest(value, column.choices), {"choices": listed})


def problem_of_text(value: str, column: Column) -> Problem | None:
    """Whether a text cell holds what no planner wrote on purpose: stray spaces, formulas, broken characters."""
    if not SUSPICIOUS.search(value):
        return None
    if "\ufffd" in value:
        return Problem("encoding")
    if IDENTITY.search(value):
        return Problem("identity_number")
    if INVISIBLE.search(value) or (column.kind != "text" and re.search(r"[\t\r\n]", value)):
        return Problem("invisible", INVISIBLE.sub("", value).strip())
    if SHEET_ERROR.match(value):
        return Problem("sheet_error")
    if OUTER_SPACE.search(value):
        return Problem("outer_space", value.strip())
    if FORMULA.match(value):
        return Problem("formula")
    return None


def problem_of_code(value: str, column: Column) -> Problem | None:
    """Whether a code breaks its pattern; codes that a spreadsheet turned into numbers are recognised."""
    matches = compiled(column.pattern)
    if matches is None:
        odd = problem_of_text(value, column)
        if odd is None and plain(value) != value:
            return Problem("full_width", plain(value))
        return odd
    if matches(value):
        return problem_of_text(value, column)
    odd = problem_of_text(value, column)
    fix = next((c for c in code_candidates(value) if matches(c)), "")
    if odd is not None and (odd.rule != "formula" or value.startswith("=")):
        return Problem(odd.rule, fix, odd.words)
    return Problem("pattern", fix, {"example": column.pattern})


def code_candidates(value: str) -> list[str]:
    """Codes that ``value`` may stand for, the likeliest first: half-width, without ``.0``, O and l as digits, zeros."""
    text = plain(value).lstrip("'")
    digits = re.sub(r"[lI|]", "1", re.sub(r"[Oo]", "0", text))
    found = [text, re.sub(r"\.0+$", "", text), digits, re.sub(r"[,\s'_]", "", digits), text.upper(), text.lower()]
    if re.fullmatch(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}", text):
        found.append(str(int(float(text))))
    found.append(re.sub(r"\s+", "", text))
    if digits.isdecimal():
        found.extend(digits.zfill(len(digits) + n) for n in (1, 2))
    # a letter O inside an identifier such as CO1 stands for zero only after the leading letters
    found.append(re.sub(r"(?<=.)[Oo]", "0", text))
    found.append(re.sub(r"(?<=.)[lI]", "1", text))
    found.append(re.sub(r"^0", "O", text))
    return [c for c in dict.fromkeys(found) if c != value]


@cache
def compiled(pattern: str) -> Callable[[str], object] | None:
    """The full-match function of a pattern (None for no pattern)."""
    return re.compile(pattern, re.ASCII).fullmatch if pattern else None


_BY_KIND: dict[str, Callable[[str, Column], Problem | None]] = {
    "integer": problem_of_number,
    "number": problem_of_number,
    "boolean": problem_of_boolean,
    "date": problem_of_date,
    "choice": problem_of_choice,
    "text": problem_of_text,
    "code": problem_of_code,
}


def problem_of(value: str, column: Column) -> Problem | None:
    """What is wrong with one non-empty value of ``column``, references aside (None if nothing is)."""
    problem = _BY_KIND[column.kind](value, column)
    if column.kind not in ("text", "code"):
        if problem is not None and (odd := problem_of_text(value, column)) and _tells_more(odd, value):
            return Problem(odd.rule, problem.fix, odd.words)
        return problem
    if problem is None and column.kind == "text" and (matches := compiled(column.pattern)) and not matches(value):
        fix = next((c for c in code_candidates(value) if matches(c)), "")
        return Problem("pattern", fix, {"example": column.pattern})
    return problem


def _tells_more(odd: Problem, value: str) -> bool:
    """Whether a rule of text cells says more than "not a number" does."""
    return odd.rule in ("encoding", "identity_number", "sheet_error") or (
        odd.rule == "formula" and value.startswith("=")
    )
