"""Workers end with their parent, also when it is killed and can say nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import os, sys, time
from zjsim.simulate.workers import worker_pool

if __name__ == "__main__":
    with worker_pool(2) as pool:
        futures = [pool.submit(os.getpid) for _ in range(2)]
        busy = [pool.submit(time.sleep, 600) for _ in range(2)]
        print("workers", *sorted({p.pid for p in pool._processes.values()}), flush=True)
        time.sleep(600)
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"  # ended, and only not yet noticed
    except FileNotFoundError:  # gone meanwhile, or a system that tells nothing of its processes here
        return os.path.exists("/proc/self/stat") is False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_killed_parent(tmp_path, how):
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    with subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            line = next(line for line in parent.stdout if line.startswith("workers"))
            pids = [int(word) for word in line.split()[1:]]
            assert len(pids) == 2
            assert all(_alive(pid) for pid in pids)
        finally:
            parent.send_signal(how)
            parent.wait()
    until = time.monotonic() + 60
    while any(_alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in pids)
