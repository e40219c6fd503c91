from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from monitor.domain.journey import JourneyCatalogue, ProbeKind
from monitor.execution.wire import Codec
from monitor.journeys.catalogue import catalogue


def _only_problem(found):
    assert len(found.problems) == 1, found.problems
    return found.problems[0]


async def test_a_journey_is_outlined_without_its_code(folder, write):
    write("browse.py", good="browse")
    found = await catalogue(folder)
    assert found.problems == ()
    (journey,) = found.journeys
    assert (journey.name, journey.title, journey.probe) == ("browse", "Browse the shop", ProbeKind.HTTP)
    assert (journey.source, journey.parameters, journey.declarative) == ("checks/browse.py", ("email",), False)
    assert journey.budget == dt.timedelta(seconds=10)
    (step,) = journey.steps
    assert (step.name, step.title, step.capability, step.budget) == (
        "look-around",
        "Look",
        "catalogue",
        dt.timedelta(seconds=2),
    )


async def test_whatever_a_file_does_when_imported_only_that_file_has_a_problem(folder, write):
    write("good.py", good="good")
    write("syntax.py", "x = (")
    write("exits.py", "import sys; sys.exit(3)")
    write("dies.py", "import os; os._exit(1)")
    write("crashes.py", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    write("raises.py", "x = 1\ny = x / 0\n")
    write("endless.py", "while True: pass")
    write("sleeps.py", "import time; time.sleep(3600)")
    write("hungry.py", "x = bytearray(10**12)")
    write("interrupts.py", "raise KeyboardInterrupt")
    write("empty.py", "")
    write("missing.py", "import no_such_module_anywhere")
    found = await catalogue(folder, file_timeout=3.0)
    assert [journey.name for journey in found.journeys] == ["good"]
    problems = {problem.source.removeprefix("checks/"): problem for problem in found.problems}
    assert "not valid Python" in problems["syntax.py"].message
    assert problems["syntax.py"].line == 2
    assert "exit status 3" in problems["exits.py"].message
    assert "exit status 1" in problems["dies.py"].message
    assert "signal 11" in problems["crashes.py"].message
    assert "ZeroDivisionError" in problems["raises.py"].message
    assert problems["raises.py"].line == 3
    assert "longer than 3 s" in problems["endless.py"].message
    assert "longer than 3 s" in problems["sleeps.py"].message
    assert "MemoryError" in problems["hungry.py"].message
    assert "KeyboardInterrupt" in problems["interrupts.py"].message
    assert "no journey in it" in problems["empty.py"].message
    assert "no_such_module_anywhere" in problems["missing.py"].message
    assert len(problems) == len(found.problems) == 11


async def test_what_a_file_prints_does_not_reach_the_catalogue(folder, write):
    noise = """
        import os, sys
        for fd in range(3, 64):
            try: os.write(fd, b"noise")
            except OSError: pass
        line = "x" * 1_000_000
        for _ in range(200):
            print(line); print(line, file=sys.stderr)
        os.system("echo more noise")
        """
    write("quiet.py", good="quiet")
    write("loud.py", noise, good="loud")
    found = await catalogue(folder)
    assert "quiet" in {journey.name for journey in found.journeys}
    assert all(problem.source == "checks/loud.py" for problem in found.problems)


async def test_processes_that_an_import_starts_do_not_outlive_it(folder, write, tmp_path):
    pid_file = tmp_path / "pid"
    write(
        "spawns.py",
        f"""
        import os, time
        if (pid := os.fork()) == 0:
            time.sleep(3600)
        open({str(pid_file)!r}, "w").write(str(pid))
        """,
        good="spawns",
    )
    await catalogue(folder)
    assert await asyncio.to_thread(_is_gone, int(pid_file.read_text()))


def _is_gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_nothing_can_be_started_by_an_import_where_we_are_not_root():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "checks"
        folder.mkdir()
        (folder / "forks.py").write_text("import os\nif os.fork() == 0: os._exit(0)\n")
        (folder / "threads.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
        for path in (Path(place), folder, *folder.iterdir()):
            path.chmod(0o755)
        nobody = "import os, monitor.journeys.discovery as it; os.setgid(65534); os.setuid(65534); it.main()"
        command = [sys.executable, "-c", nobody, str(folder)]
        found = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    problems = Codec().decode(found.stdout, JourneyCatalogue).problems
    assert ["BlockingIOError" in problem.message or "start new thread" in problem.message for problem in problems] == [
        True,
        True,
    ]


async def test_two_journeys_of_one_name_are_both_refused_and_each_names_the_other(folder, write):
    write("a.py", good="browse")
    write("b.py", good="browse")
    write("c.py", good="other")
    found = await catalogue(folder)
    assert [journey.name for journey in found.journeys] == ["other"]
    told = {problem.source: problem.message for problem in found.problems}
    assert "checks/b.py" in told["checks/a.py"]
    assert "checks/a.py" in told["checks/b.py"]


async def test_page_objects_are_shared_and_not_taken_for_journeys(folder, write):
    write("pages/front.py", "TITLE = 'Front'")
    write("_draft.py", "x = (")
    write("browse.py", "from pages.front import TITLE\nassert TITLE == 'Front'", good="browse")
    found = await catalogue(folder)
    assert found.problems == ()
    assert [journey.name for journey in found.journeys] == ["browse"]


async def test_a_file_cannot_take_the_place_of_a_library(folder, write):
    write("json.py", "x = (")
    write("browse.py", "import json\njson.dumps({})", good="browse")
    found = await catalogue(folder)
    assert [journey.name for journey in found.journeys] == ["browse"]


async def test_a_missing_folder_is_one_problem(folder):
    found = await catalogue(folder / "nowhere")
    assert "cannot be read" in _only_problem(found).message


async def test_a_discovery_that_does_not_end_is_killed_and_said_so(folder, write):
    write("sleeps.py", "import time; time.sleep(3600)")
    found = await catalogue(folder, timeout=2.0)
    assert "not done after 2 s" in _only_problem(found).message


async def test_a_mistake_in_a_journey_names_its_line_and_the_remedy(folder, write):
    write(
        "pay.py",
        """
        from monitor.journeys import Journey, step

        @step("Confirm")
        async def confirm(http: Http, *, pay):
            ...

        journey = Journey(name="pay", title="Pay", steps=(confirm,))
        """,
    )
    problem = _only_problem(await catalogue(folder))
    assert problem.source == "checks/pay.py"
    assert problem.line == 5
    assert "asks for 'pay', which is no earlier step" in problem.message
