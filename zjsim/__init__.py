"""zjsim: optimisation and simulation for education planners in Zhejiang.

``zjsim.load(scenario)`` reads and checks a scenario; ``zjsim.run(scenario)`` plans, simulates, audits and writes a run.
Heavy libraries are imported only when one of the two is called.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("zjsim.models") is None:
    raise ImportError(
        "zjsim is not installed here: this is a bare checkout, and `models/` and `scenarios/` become part of the "
        "package only on installation. Run `python -m pip install -e .` in the project's folder. "
        "(zjsim 尚未安装: 请在项目目录运行 `python -m pip install -e .`)"
    )

if TYPE_CHECKING:
    from zjsim.run import Run as Run
    from zjsim.run import run as run
    from zjsim.scenario import Scenario as Scenario
    from zjsim.scenario import load as load

__all__ = ["Run", "Scenario", "load", "run"]
_HOMES = {"load": "zjsim.scenario", "Scenario": "zjsim.scenario", "run": "zjsim.run", "Run": "zjsim.run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zjsim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
