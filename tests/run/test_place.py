"""A run says at once where nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from zjsim.chain import RunRefused
from zjsim.run import run


@pytest.mark.parametrize("place", ["file", "file/within"])
def test_a_file_in_the_way_is_told_before_the_run(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    steps: list[str] = []
    with pytest.raises(RunRefused, match="file") as refused:
        run("baseline", out=tmp_path / place, progress=lambda step, _: steps.append(step))
    assert refused.value.exit_code == 2
    assert set(steps) <= {"read"}
