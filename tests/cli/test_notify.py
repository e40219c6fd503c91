"""Trying a receiver, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.publishing.notifying.receivers import Hook


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


def with_receiver(config: Path, hook: Hook) -> None:
    url = hook.url
    config.write_text(config.read_text() + f'notifications: {{receivers: {{oncall: {{webhook: {{url: "{url}"}}}}}}}}\n')


def test_a_receiver_gets_a_test_that_says_so(typed, config: Path, hook: Hook):
    with_receiver(config, hook)
    result = typed("notify", "oncall")
    assert (result.exit_code, result.stdout) == (0, "oncall took a test notification\n")
    (body,) = hook.bodies
    assert (body["schema"], body["status"], body["location"]) == ("faultline.notification/v1", "test", "lab")
    assert body["because"].endswith("nothing is wrong.")


def test_one_that_is_not_reached_is_told_with_the_reason(typed, config: Path, hook: Hook):
    with_receiver(config, hook)
    hook.answers = [403]
    result = typed("notify", "oncall")
    assert (result.exit_code, result.stdout) == (1, "oncall was not reached: it answered 403\n")


def test_a_receiver_that_is_not_configured_is_one_clear_error(typed, config: Path, hook: Hook):
    assert "names no receivers; add one to the section notifications" in typed("notify", "oncall").stdout
    with_receiver(config, hook)
    assert "no receiver is called 'onkall'; did you mean 'oncall'?" in typed("notify", "onkall").stdout
    assert hook.bodies == []
