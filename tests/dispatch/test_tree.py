from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest

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
        # D: it waits for its own code, which a machine short of memory had put aside.
        assert tree.state_of(parent.pid) in {"S", "R", "D"}
        assert tree.resident_bytes([parent.pid]) > 1_000_000
        assert 0 < tree.proportional_bytes([parent.pid]) <= tree.resident_bytes([parent.pid])
        tree.kill_descendants(parent.pid)
        deadline = time.monotonic() + 60
        while tree.descendants(parent.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert tree.descendants(parent.pid) == []
        parent.kill()


def test_a_process_that_is_gone_has_no_state_and_no_memory():
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    assert tree.state_of(gone.pid) == ""
    assert tree.resident_bytes([gone.pid]) == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"TMPDIR": "/faultline/of-this-test"},
        {"HOME": "/faultline/of-this-test"},
        {"HOME": "/faultline/of-this-test/browsers/home-1", "TMPDIR": "/tmp/short"},
        {"HOME": "/elsewhere", "TMPDIR": "/faultline/of-this-test/more"},
    ],
)
def test_a_process_is_found_by_a_home_in_a_directory_or_below_it(environment):
    with subprocess.Popen(["sleep", "60"], env=environment) as sleeper:
        tree.kill_at_home_in("/faultline/of-this-test")
        assert sleeper.wait(60) == -9


def test_a_process_at_home_beside_a_directory_or_above_it_is_left_alone():
    homes = ("/faultline/of-this-test-too", "/faultline", "/x/faultline/of-this-test")
    with contextlib.ExitStack() as stack:
        sleepers = [stack.enter_context(subprocess.Popen(["sleep", "60"], env={"HOME": home})) for home in homes]
        tree.kill_at_home_in("/faultline/of-this-test")
        for sleeper in sleepers:
            assert sleeper.poll() is None
            # A kill that was on its way would be what it ends by.
            sleeper.terminate()
            assert sleeper.wait(60) == -15
