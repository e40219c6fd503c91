from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.manifest import Fault
from tests.lab.namespaces import abilities
from tests.lab.world.faults import Faults
from tests.lab.world.machine import Machine, children_of
from tests.lab.world.names import draw

ROOT = Path(__file__).parents[2]
NAMES = draw("machine/1", port=443)

_ON_THE_LINE = """
import json, socket, subprocess, sys
from tests.lab.manifest import Fault
from tests.lab.world.faults import Faults
from tests.lab.world.machine import Machine
from tests.lab.world.names import draw

subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
names = draw("machine/1", port=443)
listeners = []
for role in ("own", "control1"):
    listeners.append(socket.create_server((names.addresses[role], names.port)))

def reach(role, source=""):
    try:
        place = (names.addresses[source], 0) if source else None
        socket.create_connection((names.addresses[role], names.port), timeout=2, source_address=place).close()
    except OSError as error:
        return error.errno
    return 0

def told():
    return [reach("own"), reach("control1"), reach("own", "vantage1")]

faults = Faults([Fault.model_validate(json.loads(sys.argv[1]))], names)
machine = Machine(faults, names)
before = told()
faults.begin()
during = told()
faults.end()
print(json.dumps([before, during, told()]))
machine.close()
"""


def on_the_line(fault: dict[str, object]) -> list[list[int]]:
    done = subprocess.run(
        ("unshare", "-m", "-n", "--", sys.executable, "-c", _ON_THE_LINE, json.dumps(fault)),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(not abilities()["netns"], reason="needs a network namespace of its own")
@pytest.mark.parametrize(
    ("fault", "during"),
    [
        ({"where": "@link", "what": "machine", "with": {"kind": "down"}}, [101, 101, 0]),
        ({"where": "@own", "what": "machine", "with": {"kind": "prohibit"}}, [13, 0, 0]),
    ],
)
def test_a_broken_line_hurts_the_client_and_nobody_at_another_place_and_can_be_mended(fault, during):
    assert on_the_line(fault) == [[0, 0, 0], during, [0, 0, 0]]


def test_a_blocker_gets_its_list_and_loses_it(tmp_path: Path):
    fault = Fault.model_validate({"where": "@cdn", "what": "machine", "with": {"kind": "blocker"}})
    faults = Faults([fault], NAMES)
    machine = Machine(faults, NAMES, home=tmp_path)
    faults.begin()
    assert (tmp_path / "filters.txt").read_text() == NAMES.hosts["cdn"]
    faults.end()
    assert not (tmp_path / "filters.txt").exists()
    machine.close()


def test_a_disk_is_full_while_the_fault_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr("os.posix_fallocate", lambda number, start, size: asked.append(size))
    fault = Fault.model_validate({"where": "@monitor", "what": "machine", "with": {"kind": "fill-disk"}})
    faults = Faults([fault], NAMES)
    machine = Machine(faults, NAMES, disk=tmp_path)
    faults.begin()
    # Not once alone: it is filled again and again, and a busy machine comes here late.
    assert asked
    assert min(asked) > 0
    faults.end()
    assert list(tmp_path.iterdir()) == []
    machine.close()


def test_children_of_children_are_found():
    grandchild = "print('up', flush=True); input()"
    code = f"import subprocess, sys; subprocess.run((sys.executable, '-c', {grandchild!r}))"
    with subprocess.Popen((sys.executable, "-c", code), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        (below,) = children_of(child.pid)
        assert {child.pid, below} <= set(children_of(os.getpid()))
        child.stdin.close()
