"""The built wheel holds every file of the tree that belongs to the package, and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".csv", ".toml", ".md", ".ttf", ".otf", ".txt", ".html", ".css", ".js"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    source = tmp_path_factory.mktemp("source") / "zjsim"
    ignored = {".git", "build", "results", "tests"}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.relative_to(ROOT).parts[0] not in ignored:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)],
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(out.glob("*.whl")))


def tree() -> set[str]:
    mapping = {"zjsim": "zjsim", "models": "zjsim/models", "scenarios": "zjsim/scenarios"}
    found = set()
    for folder, inside in mapping.items():
        for path in (ROOT / folder).rglob("*"):
            wanted = path.suffix in SUFFIXES or path.name == "py.typed"
            if path.is_file() and wanted and "__pycache__" not in path.parts:
                found.add(f"{inside}/{path.relative_to(ROOT / folder).as_posix()}")
    return found


def test_the_wheel_holds_the_tree(wheel: zipfile.ZipFile) -> None:
    names = {n for n in wheel.namelist() if ".dist-info/" not in n}
    assert tree() - names == set(), (
        "files missing from the wheel: is a subpackage or a suffix forgotten in pyproject.toml?"
    )
    assert names - tree() == set(), "files in the wheel that are not in the tree"


def test_the_wheel_carries_its_licences(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert any(n.endswith("licenses/LICENSE") for n in names)
    assert any(n.endswith("OFL.txt") and ".dist-info/" in n for n in names)


def test_every_subpackage_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    found = {n.rsplit("/", 1)[0].replace("/", ".") for n in tree() if n.endswith("/__init__.py")}
    assert found == listed
