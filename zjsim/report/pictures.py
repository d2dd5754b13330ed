"""The figures of a finished run as PNG: its own files, drawn anew where the run has none in that language."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zjsim.texts import Language


def pictures_of(
    folder: Path, manifest: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], lang: Language
) -> dict[str, bytes]:
    """PNG files by the name of the figure."""
    own = folder / "figures"
    if manifest.get("lang") == lang and own.is_dir():
        return {p.stem: p.read_bytes() for p in sorted(own.glob("*.png"))}
    from zjsim.report.figures import draw_all, draw_compared

    draw = draw_compared if manifest.get("kind") == "comparison" else draw_all
    with tempfile.TemporaryDirectory(prefix="zjsim-", ignore_cleanup_errors=True) as place:
        draw(Path(place), manifest, tables, lang)
        return {p.stem: p.read_bytes() for p in sorted(Path(place).glob("*.png"))}
