"""Explaining, correcting and judging again, as typed; and all of it while a monitor holds the store."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from dataclasses import replace

import pytest

from monitor.cli import asking
from monitor.config.settings import Settings, WebSettings
from monitor.domain.clock import SystemClock
from monitor.domain.secret import Secret
from monitor.history import History
from monitor.history.corrections import Say, Saying
from monitor.service import StartupError
from tests.cli.conftest import a_running_monitor, keep
from tests.history.runs import a_failed_run, a_passed_run

RUN = "run-browse-0"


def ago(minutes: float) -> dt.datetime:
    # Not from when this file was read: whole suites lie between that and the last of its tests.
    return dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=minutes)


def recent(minutes: float, **values):
    moment = ago(60 - minutes)
    run = a_failed_run(minutes, **values)
    return replace(run, scheduled_at=moment, evidence=replace(run.evidence, started_at=moment))


@pytest.fixture
def stored(settings: Settings) -> None:
    lean = replace(a_passed_run(7), scheduled_at=ago(2))
    first = replace(a_passed_run(6), scheduled_at=ago(3))
    asyncio.run(keep(settings, recent(0), recent(1), recent(2, check="gone@shop/desktop"), first, lean))


def test_explaining_a_run_names_the_verdict_and_where_its_page_is(typed, stored):
    told = typed("explain", RUN).stdout
    assert "tp.content" in told
    assert "/runs/run-browse-0" in told
    assert "verdicts, the first one first" not in told


def test_judging_again_shows_both_verdicts_side_by_side_and_keeps_nothing(typed, stored):
    told = typed("explain", RUN, "--rejudge").stdout
    assert "on record" in told
    assert "by today's rules" in told
    assert "today's rules differ in: " in told
    assert "verdicts, the first" not in typed("explain", RUN).stdout


def test_a_verdict_of_todays_rules_is_kept_when_asked_for(typed, stored):
    assert "in force" in typed("explain", RUN, "--rejudge", "--save").stdout
    told = typed("explain", RUN).stdout
    assert "rules  tp.content" in told
    assert "rejudged" in told


def test_a_run_of_which_only_figures_were_kept_is_not_judged_again(typed, stored):
    result = typed("explain", "run-browse-7", "--rejudge")
    assert "its exchanges were not kept" in result.stdout
    assert result.exit_code != 0


def test_a_person_corrects_a_diagnosis_and_the_accuracy_counts_it(typed, stored):
    typed("explain", RUN, "--correct", "own.content", "--reason", "empty bundle", "--culprit", "web", "--by", "ada")
    typed("explain", "run-browse-1", "--confirm", "--by", "ada")
    told = typed("explain", RUN).stdout
    assert "person by ada" in told
    assert "empty bundle" in told
    line = typed("explain", "--accuracy").stdout
    assert "of 2 runs of the last 90d that people judged, the rules had the cause right in 1 (50%)" in line
    assert json.loads(typed("explain", "--accuracy", "--json").stdout)["false_blame"] == 1


def test_a_passed_run_that_a_person_corrects_was_missed_and_does_not_contradict_itself(typed, stored):
    typed("explain", "run-browse-7", "--correct", "own.content", "--reason", "the basket was empty")
    told = typed("explain", "run-browse-7").stdout
    assert "the basket was empty" in told
    assert "the rules found nothing wrong in this run, so its exchanges were counted but not kept" in told
    line = typed("explain", "--accuracy").stdout
    assert "left open 0; blamed the wrong one in 0; saw nothing wrong in 1" in line


def test_no_figure_is_made_up_where_nobody_has_said_anything(typed, stored):
    assert "there is no figure" in typed("explain", "--accuracy").stdout


def test_a_detail_that_does_not_exist_is_refused_with_the_nearest_one(typed, stored):
    result = typed("explain", RUN, "--correct", "tp.contnt", "--reason", "x")
    assert "did you mean 'tp.content'?" in result.stdout
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("explain",), "name the run"),
        (("explain", RUN, "--rejudge", "--confirm"), "one at a time"),
        (("explain", "nobody"), "no run has the id 'nobody' in /"),
        (("explain", "nobody", "--confirm"), "no run has the id 'nobody' in /"),
        (("explain", RUN, "--save"), "--save says nothing without --rejudge"),
        (("explain", RUN, "--culprit", "web"), "--culprit says nothing without --correct"),
        (("explain", RUN, "--reason", "x"), "--reason says nothing without --correct or --confirm"),
        (("explain", RUN, "--accuracy"), f"leave '{RUN}' out"),
        (("explain", RUN, "--username", "ada"), "--username: a user name needs a password"),
        (("explain", "--accuracy", "--since", "soon"), "--since: 'soon' is no span of time; write 30m, 24h or 7d"),
        (("replay", "--check", "brows@shop/desktop"), "did you mean 'browse@shop/desktop'?"),
    ],
)
def test_wrong_usage_is_one_line_with_the_remedy(typed, stored, words, remedy):
    result = typed(*words)
    assert remedy in result.stdout
    assert result.exit_code != 0


def test_a_replay_counts_what_todays_rules_would_change_and_what_it_cannot_judge(typed, stored):
    found = json.loads(typed("replay", "--since", "2h", "--json").stdout)
    assert found["seen"] == 4
    assert {one["run_id"] for one in found["changed"]} == {"run-browse-0", "run-browse-1"}
    assert found["moves"][0]["old"] == "failed tp.content"
    assert found["moves"][0]["runs"] == 2
    assert found["skipped"] == {"its check is not configured any more": 1}
    assert (found["same"], found["bounded"]) == (1, False)


def test_a_replay_tells_apart_what_people_said_and_whether_todays_rules_agree(typed, stored):
    typed("explain", RUN, "--correct", "own.content", "--reason", "empty bundle")
    typed("explain", "run-browse-1", "--correct", "tp.connect", "--reason", "it refused connections")
    found = json.loads(typed("replay", "--since", "2h", "--json").stdout)
    assert (found["corrected"], found["agreed"], found["changed"]) == (2, 1, [])
    assert "2 more had been corrected by a person: today's rules agree on 1" in typed("replay", "--since", "2h").stdout


def test_a_replay_says_that_it_looked_at_no_more_than_its_limit(typed, stored):
    told = typed("replay", "--since", "2h", "--limit", "1").stdout
    assert "there are older runs that were not looked at" in told


CORRECTION = Saying(run_id=RUN, say=Say.CORRECT, meant="own.tls", reason="expired", author="ada")


async def test_while_a_monitor_runs_it_is_asked_to_write(settings):
    await keep(settings, recent(0))
    web = WebSettings(username="ada", password=Secret("web.password", "open sesame"))
    async with a_running_monitor(settings, web) as running:
        said = await asking.say(running, CORRECTION)
        assert said["in_force"]
        with pytest.raises(StartupError, match=r"did you mean 'own\.tls'"):
            await asking.say(running, replace(CORRECTION, meant="own.tsl"))
        with pytest.raises(StartupError, match="no run has the id"):
            await asking.say(running, replace(CORRECTION, run_id="nobody"))
        with pytest.raises(StartupError, match="wants a user name and a password"):
            await asking.say(replace(running, web=replace(running.web, password=None)), CORRECTION)
        async with asking.reading(running.storage) as reader:
            assert [verdict.author for verdict in await reader.verdicts(RUN)] == ["", "ada"]


async def test_a_store_that_is_held_by_something_without_pages_is_said_to_be(settings):
    await keep(settings, recent(0))
    history = await History.open(settings.storage, clock=SystemClock())
    with pytest.raises(
        StartupError, match=r"in use by another instance .* no monitor answers at http://127\.0\.0\.1:9"
    ):
        await asking.say(settings, CORRECTION)
    await history.close()


@pytest.mark.parametrize("words", [("explain", RUN), ("explain", RUN, "--confirm")])
def test_explaining_where_nothing_was_recorded_names_the_folder_and_begins_no_history(typed, settings, words):
    result = typed(*words)
    assert result.exit_code != 0
    assert f"{settings.storage.directory} holds no history" in result.stdout
    assert not settings.storage.directory.exists()


async def test_a_run_that_the_monitor_has_elsewhere_is_confirmed_there(typed, settings, tmp_path):
    elsewhere = replace(settings, storage=replace(settings.storage, directory=tmp_path / "elsewhere"))
    await keep(elsewhere, recent(0))
    async with a_running_monitor(elsewhere, WebSettings()) as running:
        listen = f"127.0.0.1:{running.web.port}"
        result = await asyncio.to_thread(typed, "explain", RUN, "--confirm", "--listen", listen)
        assert "in force" in result.stdout
    assert not settings.storage.directory.exists()


async def test_a_history_that_is_named_is_meant_whatever_monitor_runs_beside_it(typed, settings, tmp_path):
    await keep(settings, recent(0))
    elsewhere = replace(settings, storage=replace(settings.storage, directory=tmp_path / "elsewhere"))
    async with a_running_monitor(elsewhere, WebSettings()) as running:
        listen = f"127.0.0.1:{running.web.port}"
        words = ("explain", RUN, "--confirm", "--listen", listen, "--data", str(settings.storage.directory))
        assert "in force" in (await asyncio.to_thread(typed, *words)).stdout
