"""Habits of the house that a reader relies on."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "pandas", "pyomo", "highspy", "simpy", "matplotlib", "scipy", "xlsxwriter", "docx", "jinja2", "lxml")


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from zjsim.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print('HEAVY', heavy)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout
    assert "HEAVY []" in out


def test_a_bare_checkout_says_what_to_do(tmp_path: Path) -> None:
    package = tmp_path / "zjsim"
    package.mkdir()
    (package / "__init__.py").write_text((ROOT / "zjsim" / "__init__.py").read_text("utf-8"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import zjsim"], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode != 0
    assert "pip install -e ." in done.stderr


def test_files_fit_in_one_reading() -> None:
    long = {}
    for folder in ("zjsim", "models"):
        for path in (ROOT / folder).rglob("*.py"):
            lines = path.read_text("utf-8").count("\n")
            if lines > 450:
                long[str(path.relative_to(ROOT))] = lines
    assert not long


def test_one_file_talks_to_the_solver() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in ("zjsim", "models")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) highspy|SolverFactory", path.read_text("utf-8"), flags=re.MULTILINE)
    }
    assert found == {str(Path("zjsim/solve/highs.py"))}


def test_the_lock_names_no_host_and_pins_by_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    pins = re.findall(r"^[a-z0-9._-]+==", lock, flags=re.MULTILINE)
    assert len(pins) > 15
    assert lock.count("--hash=sha256:") >= len(pins)


def test_only_the_gitignore_of_results_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert tracked.split() == ["results/.gitignore"]
