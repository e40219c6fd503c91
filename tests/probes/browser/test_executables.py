from __future__ import annotations

import time

import pytest

from monitor.domain.evidence import ProberFault
from monitor.domain.profile import Engine
from monitor.probes.browser.executables import Executables, find_executable
from monitor.probes.browser.probe import BrowserProbe
from monitor.probes.session import ProberError

ARM_HEADER = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\x00\xb7\x00" + b"\0" * 40


def script(tmp_path, name, text, mode=0o755):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def find(engine=Engine.CHROMIUM, *, full=False, configured=None, bundled=None, search_path=""):
    return find_executable(
        engine, full=full, configured=configured or Executables(), bundled=bundled or {}, search_path=search_path
    )


def test_a_configured_path_goes_before_everything(tmp_path):
    mine = script(tmp_path, "mine", "#!/bin/sh\n")
    own = script(tmp_path, "own", "#!/bin/sh\n")
    found = find(configured=Executables(headless_shell=mine), bundled={"shell": str(own)})
    assert found.path == mine


def test_playwrights_own_browser_goes_before_the_systems(tmp_path):
    own = script(tmp_path, "own", "#!/bin/sh\n")
    script(tmp_path, "chromium-headless-shell", "#!/bin/sh\n")
    assert find(bundled={"shell": str(own)}, search_path=str(tmp_path)).path is None


def test_the_systems_browser_is_found_by_name(tmp_path):
    system = script(tmp_path, "firefox-esr", "#!/bin/sh\n")
    found = find(Engine.FIREFOX, search_path=str(tmp_path))
    assert (found.path, found.channel) == (system, "moz-firefox")


@pytest.mark.parametrize("engine", Engine)
def test_a_missing_browser_is_one_sentence_with_a_remedy(engine):
    with pytest.raises(ProberError) as caught:
        find(engine)
    assert caught.value.fault is ProberFault.BROWSER_MISSING
    assert "install" in str(caught.value)


FOREIGN = {
    "not executable": ("#!/bin/sh\n", 0o644, "not executable"),
    "another machine": (ARM_HEADER, 0o755, "built for aarch64"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_browser_is_told_apart(tmp_path, case):
    content, mode, words = FOREIGN[case]
    path = script(tmp_path, "shell", content, mode)
    with pytest.raises(ProberError, match=words) as caught:
        find(configured=Executables(headless_shell=path))
    assert caught.value.fault is ProberFault.BROWSER_FOREIGN
    assert str(path) in str(caught.value)


def test_a_configured_path_that_does_not_exist_is_missing(tmp_path):
    with pytest.raises(ProberError, match="does not exist") as caught:
        find(configured=Executables(headless_shell=tmp_path / "nothing"))
    assert caught.value.fault is ProberFault.BROWSER_MISSING


@pytest.mark.browser
async def test_a_browser_that_exits_at_once_is_named_with_its_last_words(tmp_path):
    path = script(tmp_path, "shell", "#!/bin/sh\necho 'libfoo.so: cannot open shared object file' >&2\nexit 127\n")
    probe = BrowserProbe(tmp_path / "browsers", executables=Executables(headless_shell=path))
    before = time.monotonic()
    with pytest.raises(ProberError, match=r"did not start .*libfoo") as caught:
        await probe.self_test()
    await probe.close()
    # Half of the time that a browser is given to start.
    assert time.monotonic() - before < 60
    assert caught.value.fault is ProberFault.BROWSER_FOREIGN
    assert list((tmp_path / "browsers").iterdir()) == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("there", "fault", "words"),
    [(True, ProberFault.DISK_FULL, "has 4096 bytes left"), (False, ProberFault.BROWSER_MISSING, "does not exist")],
)
async def test_where_no_room_is_left_the_disk_is_named_unless_there_is_no_browser_at_all(
    tmp_path, monkeypatch, there, fault, words
):
    monkeypatch.setattr("monitor.probes.browser.warm.disk_free", lambda _: 4096)
    path = script(tmp_path, "shell", "#!/bin/sh\nexit 1\n") if there else tmp_path / "nothing"
    probe = BrowserProbe(tmp_path / "browsers", executables=Executables(headless_shell=path))
    with pytest.raises(ProberError, match=words) as caught:
        await probe.self_test()
    await probe.close()
    assert caught.value.fault is fault
