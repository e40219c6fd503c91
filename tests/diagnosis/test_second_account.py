"""A refused sign-in, and what became of the journey with the check's second account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.secret import Secret
from tests.diagnosis.incidents import API, SHOP, Court, a_step, again, failed, page, request

SESSION = "https://api.shop.example/session"
STEP = a_step(name="sign-in", title="Sign in", capability="")


def refused(*experiments: Experiment, status: int = 401, url: str = SESSION):
    exchange = request(url, status=status, method="POST", step="sign-in")
    return failed(page(SHOP), exchange, error={"exchange": url}, experiments=experiments)


def as_second(*, well: bool, status: int = 401, url: str = SESSION) -> Experiment:
    made = again(ExperimentKind.ACCOUNT, well=well)
    exchanges = () if well else (request(url, status=status),)
    return replace(made, subject="the second account", exchanges=exchanges)


@pytest.mark.parametrize("status", [401, 403])
def test_a_second_account_that_is_let_in_shows_that_it_is_ours(court, status):
    judgement = court.judge(refused(as_second(well=True), status=status))
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)
    assert judgement.diagnosis.detail.value == "und.monitor_config"
    assert "it is our test account, not the site" in judgement.diagnosis.because
    assert judgement.diagnosis.rule == "R12"


def test_that_the_first_account_is_refused_again_is_said(court):
    experiments = (as_second(well=True), again(ExperimentKind.RERUN, well=False))
    assert "with the first one it was refused once more" in court.judge(refused(*experiments)).diagnosis.because


def test_where_no_account_is_in_play_nobody_is_sent_to_try_another_one(court, names):
    post = request("https://www.shop.example/basket/add/1", status=403, method="POST", resource="document")
    diagnosis = court.judge(failed(page(SHOP), post)).diagnosis
    assert (diagnosis.detail.value, diagnosis.rule) == ("und.insufficient", "R12")
    assert "look whether the cookies of the session still reach the customer" in diagnosis.because
    assert [each.detail.value for each in diagnosis.alternatives] == ["own.access", "own.content"]
    with_account = Court(names, values=(("password", Secret("password", "drowssap")),))
    assert "another account by hand" in with_account.judge(failed(page(SHOP), post)).diagnosis.because


def test_what_passes_with_the_first_account_too_was_not_the_account(court):
    experiments = (as_second(well=True), again(ExperimentKind.RERUN, well=True))
    because = court.judge(refused(*experiments)).diagnosis.because
    assert "our test account, not the site" not in because


@pytest.mark.parametrize("status", [401, 403])
def test_a_second_account_that_is_refused_just_the_same_makes_it_the_site(court, status):
    judgement = court.judge(refused(as_second(well=False, status=status), status=status))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)
    assert judgement.diagnosis.detail.value == "own.http_status"
    assert "second account of the check is refused just the same" in judgement.diagnosis.because


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(as_second(well=False, status=500), id="another answer"),
        pytest.param(as_second(well=False, url=API), id="another request"),
        pytest.param(replace(as_second(well=True), outcome=Outcome.INCONCLUSIVE), id="no result"),
    ],
)
def test_what_says_nothing_leaves_it_open_and_names_what_would_tell(court, other):
    diagnosis = court.judge(refused(other)).diagnosis
    assert diagnosis.detail.value == "und.monitor_config"
    assert "`second_account` of the check" in diagnosis.because
    assert diagnosis == replace(court.judge(refused()).diagnosis, evidence=diagnosis.evidence)
