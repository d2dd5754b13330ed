"""How findings are told: terminal, JSON, both languages."""

from __future__ import annotations

import io
import json

from zjsim.tables.errors import InputErrors, as_json, finding, headline, print_findings, visible
from zjsim.texts import catalogue

ERROR = finding("not_integer", "schools.csv", line=37, column="seats", value="1,2OO", fix="1200")
NOTICE = finding("gb18030", "schools.csv", severity="notice")


def test_the_sentence() -> None:
    assert ERROR.sentence("zh") == 'schools.csv 第37行「seats」列:"1,2OO" 不是整数(是否应为 1200?)'
    assert NOTICE.sentence("en").startswith("schools.csv: the file is encoded in GB18030")


def test_many_lines_are_cut() -> None:
    many = finding("not_integer", "a.csv", line=1, column="x", value="?", also=range(2, 30))
    assert "28" in many.sentence("zh")
    assert "第2、3、4、5、6、7、8、9…行" in many.sentence("zh")
    assert "lines 2, 3, 4, 5, 6, 7, 8, 9 …" in many.sentence("en")
    assert headline([many, NOTICE], "en") == "29 error(s) in 1 input file(s); nothing was written."


def test_errors_and_notices_are_kept_apart() -> None:
    error = InputErrors([NOTICE, ERROR])
    assert (error.errors, error.notices) == ((ERROR,), (NOTICE,))
    assert ERROR.sentence("en") in str(error)
    assert ERROR.sentence("zh") in error.report("zh")


def test_json_holds_every_field() -> None:
    report = json.loads(as_json([ERROR, NOTICE]))
    assert (report["errors"], report["notices"]) == (1, 1)
    assert report["findings"][0] == {
        "severity": "error",
        "rule": "not_integer",
        "file": "schools.csv",
        "sheet": "",
        "line": 37,
        "column": "seats",
        "letter": "",
        "value": "1,2OO",
        "fix": "1200",
        "also_lines": [],
        "zh": ERROR.sentence("zh"),
        "en": ERROR.sentence("en"),
    }


def test_off_a_terminal_there_is_plain_text_one_line_each() -> None:
    stream = io.StringIO()
    print_findings([NOTICE, ERROR], "zh", stream)
    lines = stream.getvalue().splitlines()
    assert lines[1:] == [f"[错误] {ERROR.sentence('zh')}", f"[提示] {NOTICE.sentence('zh')}"], "errors first"


def test_values_are_shown_safely() -> None:
    assert visible("a\x1b[31m\u200bb") == "a\\x1b[31m\\u200bb"
    assert visible("长" * 100) == "长" * 60 + "…"
    braces = finding("not_integer", "a.csv", line=1, column="x", value="{0}{x}")
    assert "{0}{x}" in braces.sentence("en")


def test_every_rule_has_its_sentence_in_both_languages() -> None:
    for key, said in catalogue().items():
        if key.startswith(("tables.", "scenario.", "cli.")):
            assert said.keys() == {"zh", "en"}, key
            assert all(said.values()), key
