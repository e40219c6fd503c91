from __future__ import annotations

import datetime as dt
from dataclasses import replace

import httpx
import pytest

from monitor.config.settings import RefusedCheck, WebSettings
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.check import Schedule
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.evidence import ConsoleLevel, ConsoleMessage, StepError, StepErrorKind, StepResult
from monitor.domain.failure import Failure, Phase
from monitor.domain.outcome import Outcome, SlotReason, SlotState, StepOutcome, Validity
from monitor.domain.run import Judgement, Run, Slot
from monitor.domain.secret import Secret
from monitor.investigation.correlation import Incident, Scope
from monitor.investigation.drill import Dependency
from monitor.investigation.drill_reports import DrillReports
from monitor.web.app import create_app
from monitor.web.gate import OPEN_PATHS
from monitor.web.monitor import Health
from tests.builders import A_MOMENT, a_check, a_run, an_attempt, an_evidence, an_exchange
from tests.service.test_nightly import a_report as a_drill_report

HOSTILE = "<script>alert('x')</script>"


def a_failed_run(**values: object) -> Run:
    error = StepError(
        kind=StepErrorKind.EXCHANGE, message=f"pay answered {HOSTILE}", awaited="https://pay.example.net/"
    )
    step = StepResult(name="pay", title="Pay", outcome=StepOutcome.FAILED, duration=2.1, error=error)
    exchange = an_exchange(
        url=f"https://pay.example.net/?q={HOSTILE}",
        status=None,
        failure=Failure.TCP_REFUSED,
        failed_phase=Phase.CONNECT,
    )
    evidence = an_evidence(
        attempts=(an_attempt(outcome=Outcome.FAILED, steps=(step,)),),
        exchanges=(exchange,),
        console=(ConsoleMessage(level=ConsoleLevel.ERROR, text=HOSTILE),),
    )
    diagnosis = Diagnosis(
        cause=Cause.THIRD_PARTY,
        detail=Detail.TP_CONNECT,
        confidence=Confidence.PROBABLE,
        rule="R08",
        because="pay.example.net refuses connections, and the step 'pay' needs it",
        culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay", host="pay.example.net"),
    )
    judgement = Judgement(outcome=Outcome.FAILED, validity=Validity.VALID, diagnosis=diagnosis)
    return a_run(**{"run_id": "bad-1", "evidence": evidence, "judgement": judgement, **values})


async def test_the_title_tells_what_needs_somebody(client: httpx.AsyncClient, parts) -> None:
    assert "<title>Checks · Faultline</title>" in (await client.get("/")).text
    await parts.history.finished(a_failed_run())
    assert "<title>1 failed · Faultline</title>" in (await client.get("/")).text


async def test_a_count_of_nothing_is_quiet(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    page = (await client.get("/")).text
    assert '<li class="failed"><b>1</b>' in page
    assert '<li class="inconclusive none"><b>0</b>' in page


@pytest.mark.parametrize("query", ["outcome=fine", "evil=1"])
async def test_a_question_that_is_not_understood_is_not_called_missing(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/runs?{query}")
    assert answer.status_code == 400
    assert "<h1>Not understood</h1>" in answer.text


@pytest.mark.parametrize("place", ["/", "/runs", "/owners"])
async def test_the_page_that_is_shown_is_marked_among_the_links(client: httpx.AsyncClient, place: str) -> None:
    page = (await client.get(place)).text
    assert page.count('aria-current="page">') == (1 if place != "/owners" else 2)
    assert f'<a href="{place}" aria-current="page">' in page


async def test_a_check_that_never_ran_waits_and_is_not_shown_as_good(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert 'class="state waiting">waiting' in page
    assert 'class="state passed"' not in page


async def test_a_check_that_never_ran_has_no_data_once_it_should_have(client: httpx.AsyncClient, parts) -> None:
    parts.clock.moment = A_MOMENT + dt.timedelta(minutes=4)
    page = (await client.get("/")).text
    assert page.count('class="state stale">no data') == 2
    assert "<title>2 no data · Faultline</title>" in page


async def test_a_check_whose_first_slots_ended_without_a_result_has_no_data(client: httpx.AsyncClient, parts) -> None:
    await parts.history.closed("browse@shop/desktop", A_MOMENT, SlotState.MISSED, SlotReason.LATE)
    page = (await client.get("/")).text
    assert 'class="state stale">no data' in page
    assert 'class="state waiting">waiting' in page


@pytest.mark.parametrize(("days", "word"), [(3, "passed"), (3.1, "no data")])
async def test_a_check_that_rests_at_weekends_has_data_until_its_next_moment_is_over(
    client: httpx.AsyncClient, parts, days: float, word: str
) -> None:
    friday = dt.datetime(2026, 11, 27, 6, 0, tzinfo=dt.UTC)
    check = a_check(schedule=Schedule(cron="0 6 * * mon-fri"))
    parts.settings = replace(parts.settings, checks=(check,))
    await parts.history.finished(a_run(check=check, scheduled_at=friday))
    parts.clock.moment = friday + dt.timedelta(days=days)
    assert f">{word}</span></td>" in (await client.get("/")).text


async def test_checks_that_were_refused_are_counted_and_never_called_none(client: httpx.AsyncClient, parts) -> None:
    refused = (RefusedCheck(name="login@shop/desktop", reason="the variable SHOP_PASSWORD is not set"),)
    parts.settings = replace(parts.settings, checks=(), refused=refused)
    page = (await client.get("/")).text
    assert "<title>1 cannot run · Faultline</title>" in page
    assert "<b>1</b><span>cannot run</span>" in page
    assert "Every check that is configured was refused" in page
    assert (await client.get("/api/v1/checks")).json() == {
        "checks": [],
        "refused": [{"check": "login@shop/desktop", "reason": "the variable SHOP_PASSWORD is not set"}],
    }
    assert "No checks are configured" not in page
    parts.settings = replace(parts.settings, refused=())
    assert "No checks are configured." in (await client.get("/")).text


@pytest.mark.parametrize("number", ["9" * 5000, "٣", "-1"])
async def test_a_number_that_is_none_is_no_error_of_ours(client: httpx.AsyncClient, number: str) -> None:
    assert (await client.get("/", params={"page": number})).status_code == 200
    assert (await client.get("/api/v1/runs", params={"limit": number})).status_code == 400


async def test_the_front_page_names_the_culprit_and_links_to_the_run(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    page = (await client.get("/")).text
    assert "Example Pay" in page
    assert "/runs/bad-1" in page
    assert "third party" in page


async def test_a_check_whose_last_run_is_old_has_no_data_and_no_last_color(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_run())
    parts.clock.moment = A_MOMENT + dt.timedelta(minutes=4)
    page = (await client.get("/")).text
    assert 'class="state stale">no data' in page
    assert 'class="state passed"' not in page


async def test_slots_without_a_result_show_as_gaps_and_lower_the_coverage(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_run())
    for minute in range(1, 4):
        moment = A_MOMENT - dt.timedelta(minutes=minute)
        await parts.history.closed("browse@shop/desktop", moment, SlotState.MISSED, SlotReason.LATE)
    page = (await client.get("/")).text
    assert page.count('class="missed"') == 3
    assert "too little data" in page


async def test_what_needs_attention_stands_above_everything_else(client: httpx.AsyncClient, parts) -> None:
    parts.state = Health(notices=("login@shop/desktop does not run: the variable SHOP_PASSWORD is not set",))
    page = (await client.get("/")).text
    assert "SHOP_PASSWORD is not set" in page


async def test_what_a_site_sends_is_inert_on_the_page_of_a_run(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    answer = await client.get("/runs/bad-1")
    assert answer.status_code == 200
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_the_page_of_a_run_shows_steps_exchanges_and_the_diagnosis(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    page = (await client.get("/runs/bad-1")).text
    for shown in ("Pay", "tcp.refused", "R08", "Example Pay", "probable", "refuses connections"):
        assert shown in page


async def test_the_commands_of_a_run_name_the_monitor_that_made_it(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    assert "faultline explain bad-1 --confirm<" in (await client.get("/runs/bad-1")).text
    parts.settings = replace(parts.settings, options="--data /var/lib/faultline")
    page = (await client.get("/runs/bad-1")).text
    assert "faultline explain bad-1 --data /var/lib/faultline --confirm<" in page
    assert "<code>faultline explain bad-1 --data /var/lib/faultline</code>" in page


async def test_a_run_that_is_not_there_is_a_plain_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/runs/nothing")
    assert answer.status_code == 404
    assert "There is no run with this id" in answer.text


@pytest.mark.parametrize("name", ["..%2F..%2Fhistory.sqlite3", "%2Fetc%2Fpasswd", "absent.png"])
async def test_only_files_of_the_run_are_handed_out(client: httpx.AsyncClient, parts, name: str) -> None:
    parts.history.artifacts.directory("bad-1")
    answer = await client.get(f"/runs/bad-1/artifacts/{name}")
    assert answer.status_code == 404


async def test_captured_html_is_a_download_that_cannot_run(client: httpx.AsyncClient, parts) -> None:
    folder = parts.history.artifacts.directory("bad-1")
    (folder / "page.html").write_text(HOSTILE)
    answer = await client.get("/runs/bad-1/artifacts/page.html")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_health_is_503_with_the_reason_when_the_monitor_is_sick(client: httpx.AsyncClient, parts) -> None:
    assert (await client.get("/-/healthy")).status_code == 200
    parts.state = Health(problems=("the scheduler has not moved for 12 s",))
    answer = await client.get("/-/healthy")
    assert answer.status_code == 503
    assert "scheduler" in answer.text


async def test_waiting_is_healthy_but_not_ready(client: httpx.AsyncClient, parts) -> None:
    parts.state = Health(waiting=("no browser has been started yet",))
    assert (await client.get("/-/healthy")).status_code == 200
    assert (await client.get("/-/ready")).status_code == 503


async def test_a_bad_file_at_reload_is_answered_with_its_problems(client: httpx.AsyncClient, parts) -> None:
    parts.reload_problems = ("monitor.yaml:3:5: checks: nothing to do",)
    answer = await client.post("/-/reload")
    assert answer.status_code == 422
    assert "monitor.yaml:3:5" in answer.text


async def test_every_route_but_two_asks_for_the_password(parts) -> None:
    web = WebSettings(username="ops", password=Secret("web.password", "open sesame"))
    parts.settings = replace(parts.settings, web=web)
    app = create_app(parts)
    paths = {getattr(route, "path", "") for route in app.routes}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://monitor.example") as client:
        for path in sorted(paths):
            url = path.format(run_id="x", name="y") + ("/style.css" if path == "/static" else "")
            answer = await client.request("POST" if path == "/-/reload" else "GET", url)
            assert (answer.status_code == 401) == (path not in OPEN_PATHS), path
        known = await client.get("/", auth=("ops", "open sesame"))
        wrong = await client.get("/", auth=("ops", "open barley"))
    assert len(OPEN_PATHS) == 2
    assert known.status_code == 200
    assert wrong.status_code == 401


async def test_a_page_of_another_site_cannot_reload(client: httpx.AsyncClient, parts) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await client.post("/-/reload", headers=headers)).status_code == 403
    assert parts.reloads == 0
    assert (await client.post("/-/reload", headers={"Origin": "http://127.0.0.1:9488"})).status_code == 200


async def test_a_foreign_host_name_is_refused_on_loopback(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"Host": "rebound.example"})
    assert answer.status_code == 421


async def test_the_api_lists_checks_and_runs(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_failed_run())
    checks = (await client.get("/api/v1/checks")).json()["checks"]
    assert checks[0]["state"] == "failed"
    assert checks[0]["culprit"] == "Example Pay"
    runs = (await client.get("/api/v1/runs?limit=5")).json()["runs"]
    assert [run["run_id"] for run in runs] == ["bad-1"]
    assert (await client.get("/api/v1/runs?limit=x")).status_code == 400
    assert (await client.get("/api/v1/runs/bad-1")).json() == {"run_id": "bad-1"}


async def test_planned_slots_of_the_future_do_not_count_against_coverage(client: httpx.AsyncClient, parts) -> None:
    await parts.history.finished(a_run())
    await parts.history.plan([Slot(check="browse@shop/desktop", scheduled_at=A_MOMENT + dt.timedelta(minutes=1))])
    page = (await client.get("/")).text
    assert "coverage 100 %" in page


async def test_a_new_single_point_of_failure_stands_above_everything_else(client: httpx.AsyncClient, parts) -> None:
    reports = DrillReports(parts.settings.storage.directory)
    reports.keep(a_drill_report(Dependency.SURVIVES))
    assert "single point of failure" not in (await client.get("/")).text
    reports.keep(a_drill_report(Dependency.HARD))
    assert "browse@shop/desktop has a new single point of failure: Example Pay" in (await client.get("/")).text


@pytest.mark.parametrize(("names", "shown"), [(("one", "two"), True), (("one",), False)])
async def test_one_cause_of_several_checks_stands_on_the_front_page(
    client: httpx.AsyncClient, parts, names: tuple[str, ...], *, shown: bool
) -> None:
    parts.incidents = (
        Incident(
            id="vendor-pay",
            scope=Scope.VENDOR,
            cause=Cause.THIRD_PARTY,
            detail=Detail.TP_CONNECT,
            culprit=Culprit(kind=CulpritKind.VENDOR, name="Example Pay"),
            episodes=names,
            since=A_MOMENT,
            note=HOSTILE,
        ),
    )
    page = (await client.get("/")).text
    assert ("One cause, several checks" in page) is shown
    assert ("Example Pay" in page) is shown
    assert HOSTILE not in page
