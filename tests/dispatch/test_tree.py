from __future__ import annotations

import os
import subprocess
import sys
import time

from monitor.dispatch import tree

_PARENT = "import subprocess, sys; subprocess.Popen(['sleep', '60']); print('ready', flush=True); sys.stdin.read()"


def test_a_process_and_all_that_descends_from_it_are_found_and_ended():
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        found = tree.descendants(os.getpid())
        assert parent.pid in found
        (child,) = tree.descendants(parent.pid)
        assert child in found
        assert tree.state_of(parent.pid) in {"S", "R"}
        assert tree.resident_bytes([parent.pid]) > 1_000_000
        assert 0 < tree.proportional_bytes([parent.pid]) <= tree.resident_bytes([parent.pid])
        tree.kill_descendants(parent.pid)
        deadline = time.monotonic() + 5
        while tree.descendants(parent.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert tree.descendants(parent.pid) == []
        parent.kill()


def test_a_process_that_is_gone_has_no_state_and_no_memory():
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert tree.state_of(gone.pid) == ""
    assert tree.resident_bytes([gone.pid]) == 0


def test_a_process_is_found_by_its_environment():
    with subprocess.Popen(["sleep", "60"], env={"TMPDIR": "/faultline/of-this-test"}) as sleeper:
        tree.kill_by_environment("TMPDIR=/faultline/of-this-test")
        assert sleeper.wait(5) == -9
