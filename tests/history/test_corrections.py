"""What a person says becomes a verdict; what makes no sense is refused with the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.config.settings import Settings, StorageSettings
from monitor.diagnosis.judge import RULESET
from monitor.diagnosis.names import load_names
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Alternative, CulpritKind
from monitor.domain.evidence import EVIDENCE_SCHEMA
from monitor.domain.outcome import Outcome, Validity
from monitor.history import HistoryError, StoredRun
from monitor.history.corrections import Say, Saying, corrected, meant_by
from monitor.history.rejudging import CannotJudgeError, Obstacle, Rejudging, changes
from monitor.history.values import RunSummary
from tests.builders import a_check
from tests.history.runs import CHECK, a_failed_run, a_passed_run


def stored(run=None, **values) -> StoredRun:
    run = run or a_failed_run(0)
    summary = RunSummary(
        run_id=run.run_id,
        check=run.check.name,
        journey="browse",
        target="shop",
        profile="desktop",
        location="here",
        scheduled_at=run.scheduled_at,
        started_at=run.started_at,
        duration=1.0,
        outcome=run.outcome,
        validity=Validity.VALID,
        attempts=1,
        recovered=False,
    )
    return StoredRun(
        **{"summary": summary, "evidence": run.evidence, "judgement": run.judgement, "lean": False} | values
    )


def correction(meant: str, **values) -> Saying:
    return Saying(**{"run_id": "r", "say": Say.CORRECT, "meant": meant, "reason": "it was  us", **values})


def test_a_correction_names_cause_culprit_and_the_persons_own_reason():
    diagnosis = corrected(stored(), correction("own.tls", culprit="platform")).diagnosis
    assert (diagnosis.cause, diagnosis.detail, diagnosis.rule) == (Cause.OWN_INFRASTRUCTURE, Detail.OWN_TLS, "person")
    assert (diagnosis.culprit.kind, diagnosis.culprit.name) == (CulpritKind.TEAM, "platform")
    assert (diagnosis.because, diagnosis.confidence) == ("it was us", Confidence.CONFIRMED)


def test_a_run_that_our_own_machine_spoiled_counts_no_more():
    judgement = corrected(stored(), correction("client.prober"))
    assert (judgement.outcome, judgement.validity) == (Outcome.INCONCLUSIVE, Validity.INVALID)


def test_a_run_that_was_wrongly_inconclusive_counts_as_failed():
    spoiled = replace(a_failed_run(0).judgement, outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    judgement = corrected(stored(judgement=spoiled), correction("own.http_status"))
    assert (judgement.outcome, judgement.validity) == (Outcome.FAILED, Validity.VALID)


def test_a_cause_alone_takes_the_detail_that_fits_what_was_said_before():
    judgement = a_failed_run(0).judgement
    assert meant_by("own", judgement) == (Detail.OWN_CONTENT, True)
    assert meant_by("third_party", judgement) == (Detail.TP_CONTENT, True)
    assert corrected(stored(), correction("own_infrastructure")).diagnosis.rule == "person.cause"
    runner_up = Alternative(cause=Cause.CLIENT_ENVIRONMENT, detail=Detail.CLIENT_DNS)
    with_other = replace(judgement, diagnosis=replace(judgement.diagnosis, alternatives=(runner_up,)))
    assert meant_by("client", with_other) == (Detail.CLIENT_DNS, True)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("own.htp_status", r"'own\.htp_status' is no cause and no detail; did you mean 'own\.http_status'\?"),
        ("gremlins", r"docs/causes\.md lists them"),
        ("client", r"say in what way it was client environment: client\.dns, "),
        ("", "is no cause and no detail"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_what_would(word, words):
    with pytest.raises(HistoryError, match=words):
        corrected(stored(), correction(word))


def test_a_correction_without_a_reason_is_refused():
    with pytest.raises(HistoryError, match="needs a reason"):
        corrected(stored(), correction("own.tls", reason="  "))


@pytest.fixture(scope="module")
def rejudging(tmp_path_factory) -> Rejudging:
    folder = tmp_path_factory.mktemp("settings")
    settings = Settings(
        path=folder / "monitor.yaml",
        location="here",
        journeys=folder,
        checks=(a_check(name=CHECK),),
        storage=StorageSettings(directory=folder),
    )
    return Rejudging(settings, load_names())


def test_a_stored_run_is_judged_by_todays_rules(rejudging):
    judgement = rejudging.judge(stored())
    assert judgement.diagnosis.ruleset == RULESET
    assert "rule" not in changes(judgement, judgement)


def test_evidence_of_an_older_version_is_judged(rejudging):
    old = replace(a_failed_run(0).evidence, schema=1)
    assert rejudging.judge(stored(evidence=old)) == rejudging.judge(stored())


@pytest.mark.parametrize(
    ("values", "obstacle", "words"),
    [
        ({"lean": True}, Obstacle.LEAN, "exchanges were not kept"),
        (
            {"evidence": replace(a_failed_run(0).evidence, schema=EVIDENCE_SCHEMA + 1)},
            Obstacle.NEWER,
            "a newer program recorded it",
        ),
        ({"run": a_failed_run(0, check="gone@shop/desktop")}, Obstacle.GONE, "gone@shop/desktop is not configured"),
    ],
)
def test_a_run_that_cannot_be_judged_again_says_why(rejudging, values, obstacle, words):
    with pytest.raises(CannotJudgeError, match=words) as caught:
        rejudging.judge(stored(**values))
    assert caught.value.obstacle is obstacle


def test_two_verdicts_differ_in_what_is_named_first_by_weight():
    old = a_failed_run(0).judgement
    new = corrected(stored(), correction("own.content", culprit="storefront"))
    assert changes(old, new) == ("cause", "detail", "culprit", "rule", "because")
    assert changes(a_passed_run(0).judgement, old)[0] == "outcome"
