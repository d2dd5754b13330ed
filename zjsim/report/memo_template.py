"""An office's own Word template for the memo: its page, styles and letterhead, with places to be filled.

A paragraph that is just ``{{ memo }}`` is where the memo's text goes (its end otherwise). Anywhere else, headers and
footers included, these stand for words: ``{{ title }}``, ``{{ subject }}``, ``{{ to }}``, ``{{ office }}``,
``{{ date }}``, ``{{ label }}``, ``{{ run_id }}``, ``{{ scenario }}``, ``{{ as_of }}``, ``{{ seed }}``,
``{{ version }}``. They are filled in by a sandbox that can reach nothing but these words; what is filled in is never
read as a template again.
The label of synthetic data is put at the top of the document if the template does not ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from docx import Document
from docx.opc.exceptions import OpcError
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from zjsim.tables.errors import InputErrors, finding

PLACE = "{{ memo }}"


def open_template(path: Path) -> Any:
    """The document at ``path``; raises ``InputErrors`` if it is none."""
    try:
        return Document(str(path))
    except (OpcError, BadZipFile, KeyError, ValueError, OSError) as error:
        raise _refused(path, str(error) or type(error).__name__) from error


def fill_template(document: Any, words: Mapping[str, str], path: Path) -> Any:
    """Fill every place but that of the memo; returns the element that the memo goes before (None: the end).

    Raises ``InputErrors`` for a place that is not known or a template that cannot be filled.
    """
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    anchor, asked = None, False
    for paragraph in _paragraphs(document):
        said = paragraph.text
        if "{{" not in said and "{%" not in said:
            continue
        if said.strip() == PLACE:
            anchor = paragraph._p
            continue
        asked |= "label" in said
        try:
            filled = environment.from_string(said).render(words)
        except (TemplateError, OverflowError, TypeError, ValueError, ArithmeticError) as error:
            raise _refused(path, f"{error} ({said[:80]})") from error
        runs = paragraph.runs
        for run in runs[1:]:
            run.text = ""
        if runs:
            runs[0].text = filled
        else:
            paragraph.add_run(filled)
    if not asked:
        first = document.paragraphs[0] if document.paragraphs else document.add_paragraph()
        first.insert_paragraph_before(words["label"])
    return anchor


def _paragraphs(document: Any) -> Iterator[Any]:
    """Paragraphs of the body, of its tables, and of every header and footer."""
    yield from list(document.paragraphs)
    for table in document.tables:
        yield from (p for row in table.rows for cell in row.cells for p in cell.paragraphs)
    for section in document.sections:
        for part in (section.header, section.footer, section.even_page_header, section.even_page_footer):
            if part.is_linked_to_previous:  # asking it for paragraphs would make one
                continue
            yield from list(part.paragraphs)
            yield from (p for t in part.tables for row in t.rows for cell in row.cells for p in cell.paragraphs)


def _refused(path: Path, why: str) -> InputErrors:
    return InputErrors([finding("template", str(path), value=why[:300], theme="memo.problem_with")])
