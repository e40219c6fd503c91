"""A verdict is kept, never overwritten; one of each run is in force."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import monitor.history.migrate
from monitor.domain.cause import Cause, Confidence, Detail
from monitor.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from monitor.domain.outcome import Outcome, Validity
from monitor.domain.run import Judgement
from monitor.history import FieldAccuracy, GroupBy, HistoryError, RunFilter, VerdictSource
from monitor.history.database import Database
from tests.history.runs import CHECK, a_failed_run, a_passed_run, at

RUN = "run-browse-0"


def a_verdict(detail: Detail = Detail.OWN_CONTENT, **values) -> Judgement:
    diagnosis = Diagnosis(
        cause=detail.cause,
        detail=detail,
        confidence=Confidence.CONFIRMED,
        rule=values.pop("rule", "person"),
        because="the storefront left the script out.",
        culprit=Culprit(kind=CulpritKind.TEAM, name="storefront"),
    )
    return Judgement(**{"outcome": Outcome.FAILED, "validity": Validity.VALID, "diagnosis": diagnosis, **values})


def person(history, run_id=RUN, detail=Detail.OWN_CONTENT, **values):
    return history.revise(
        run_id, a_verdict(detail, **values), why="saw it", at=at(5), source=VerdictSource.PERSON, author="ada"
    )


async def test_a_verdict_that_was_never_revised_is_the_whole_history(history):
    await history.finished(a_failed_run(0))
    (only,) = await history.verdicts(RUN)
    assert (only.source, only.current, only.judgement) == (VerdictSource.RULES, True, a_failed_run(0).judgement)
    assert await history.verdicts("nobody") == ()


async def test_a_revision_leaves_the_first_verdict_in_the_history_and_is_in_force_itself(history):
    await history.finished(a_failed_run(0))
    revised = await history.revise(
        RUN, a_verdict(), why="five journeys fail alike", at=at(3), source=VerdictSource.CORRELATION
    )
    assert revised
    first, second = await history.verdicts(RUN)
    assert (first.source, first.current, first.judgement) == (VerdictSource.RULES, False, a_failed_run(0).judgement)
    assert (second.source, second.current, second.reason, second.at) == (
        VerdictSource.CORRELATION,
        True,
        "five journeys fail alike",
        at(3),
    )


async def test_lists_breakdowns_and_the_run_itself_go_by_the_verdict_in_force(history):
    await history.finished(a_failed_run(0))
    await person(history)
    assert [share.key for share in await history.causes(at(-1), GroupBy.DETAIL)] == ["own.content"]
    (summary,) = await history.runs(RunFilter(cause=Cause.OWN_INFRASTRUCTURE))
    assert (summary.verdict.culprit.name, summary.verdict.failed_step) == ("storefront", "pay")
    assert (await history.run(RUN)).judgement == a_verdict()


async def test_a_verdict_that_makes_a_run_inconclusive_takes_it_out_of_availability(history):
    await history.finished(a_failed_run(0))
    await person(history, detail=Detail.CLIENT_PROBER, outcome=Outcome.INCONCLUSIVE, validity=Validity.INVALID)
    coverage = await history.coverage(CHECK, at(-1), at(1))
    assert (coverage.planned, coverage.conclusive) == (1, 0)
    assert await history.causes(at(-1)) == ()


async def test_a_verdict_without_a_diagnosis_leaves_none_behind(history):
    await history.finished(a_failed_run(0))
    passed = Judgement(outcome=Outcome.PASSED, validity=Validity.VALID)
    await history.revise(RUN, passed, why="", at=at(3), source=VerdictSource.REJUDGED)
    (summary,) = await history.recent(CHECK)
    assert (summary.outcome, summary.verdict) == (Outcome.PASSED, None)
    await history.revise(RUN, a_verdict(), why="", at=at(4), source=VerdictSource.REJUDGED)
    (summary,) = await history.recent(CHECK)
    assert summary.verdict.detail is Detail.OWN_CONTENT


async def test_the_rules_do_not_overrule_a_person_but_their_verdict_is_kept(history):
    await history.finished(a_failed_run(0))
    await person(history)
    again = await history.revise(
        RUN, a_verdict(Detail.TP_SLOW, rule="R08"), why="newer rules", at=at(9), source=VerdictSource.REJUDGED
    )
    assert not again
    assert [verdict.current for verdict in await history.verdicts(RUN)] == [False, True, False]
    assert (await history.run(RUN)).judgement.diagnosis.detail is Detail.OWN_CONTENT
    assert await person(history, detail=Detail.OWN_SCRIPT)
    assert (await history.run(RUN)).judgement.diagnosis.detail is Detail.OWN_SCRIPT


async def test_a_passed_run_can_get_a_verdict_too(history):
    await history.finished(a_passed_run(0))
    await person(history)
    (summary,) = await history.recent(CHECK)
    assert (summary.outcome, summary.verdict.detail) == (Outcome.FAILED, Detail.OWN_CONTENT)


async def test_a_run_that_is_not_known_cannot_be_revised(history):
    with pytest.raises(HistoryError, match="no run has the id 'nobody'"):
        await person(history, "nobody")
    await history.finished(a_passed_run(0))


async def test_a_sentence_with_bytes_that_no_database_takes_is_kept_readable(history):
    await history.finished(a_failed_run(0))
    await history.revise(RUN, a_verdict(), why="a\x00b\ud800", at=at(1), source=VerdictSource.PERSON, author="x")
    assert (await history.verdicts(RUN))[1].reason == "a\N{REPLACEMENT CHARACTER}b?"


async def test_verdicts_go_with_their_run(history):
    await history.finished(a_failed_run(0))
    await person(history)
    await history.retain(at(0) + dt.timedelta(days=400))
    assert await history.verdicts(RUN) == ()
    assert await history.field_accuracy(at(-1)) == FieldAccuracy()


async def test_the_accuracy_in_the_field_compares_what_the_rules_had_said_with_what_people_said(history):
    for minute in range(5):
        await history.finished(a_failed_run(minute))
    unsure = replace(
        a_failed_run(5).judgement.diagnosis,
        cause=Cause.UNDETERMINED,
        detail=Detail.UND_INSUFFICIENT,
        confidence=Confidence.NONE,
    )
    await history.finished(a_failed_run(5, judgement=replace(a_failed_run(5).judgement, diagnosis=unsure)))
    await person(history, "run-browse-0", Detail.TP_CONTENT)
    await person(history, "run-browse-1", Detail.TP_SLOW)
    await person(history, "run-browse-2", Detail.OWN_CONTENT)
    await person(history, "run-browse-3", Detail.TP_SLOW, rule="person.cause")
    await person(history, "run-browse-5", Detail.OWN_CONTENT)
    await history.revise("run-browse-2", a_verdict(), why="newer rules", at=at(9), source=VerdictSource.REJUDGED)
    await history.finished(a_passed_run(6))
    await person(history, "run-browse-6", Detail.OWN_CONTENT)
    found = await history.field_accuracy(at(-1))
    assert found == FieldAccuracy(
        judged=6, right=3, detailed=5, detail_right=1, undetermined=1, false_blame=1, missed=1
    )
    assert found.ratio == 0.5
    assert await history.field_accuracy(at(60)) == FieldAccuracy()


async def test_runs_of_which_everything_is_kept_are_found_newest_first(history):
    for minute in range(3):
        await history.finished(a_failed_run(minute))
    await history.finished(a_passed_run(3))
    await history.finished(a_passed_run(4))
    await history.finished(a_failed_run(1, check="other@shop/desktop"))
    assert await history.with_evidence(at(-1), limit=10, check=CHECK) == (
        "run-browse-3",
        "run-browse-2",
        "run-browse-1",
        "run-browse-0",
    )
    assert await history.with_evidence(at(2), limit=1) == ("run-browse-3",)


@pytest.mark.parametrize(
    ("version", "later"),
    [
        ("0001", ("verdicts", "deployments", "notifications")),
        ("0002", ("deployments", "notifications")),
        ("0003", ("notifications",)),
    ],
)
async def test_a_database_of_an_older_schema_is_brought_up_to_date_with_its_runs(opened, storage, version, later):
    """An older release's tables are today's without those that came later."""
    today = await opened(storage)
    await today.finished(a_failed_run(0))
    await today.close()
    with Database(storage).writing().connect() as connection, connection.begin():
        for table in later:
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{version}'"))
    history = await opened(storage)
    assert (await history.run(RUN)).judgement == a_failed_run(0).judgement
    assert len(await history.verdicts(RUN)) == 1
    assert await history.latest_deployments(1) == ()
    await person(history)
    assert [verdict.source for verdict in await history.verdicts(RUN)] == [VerdictSource.RULES, VerdictSource.PERSON]


async def test_the_first_migration_alone_still_makes_the_first_schema(tmp_path):
    config = Config()
    config.set_main_option("script_location", str(Path(monitor.history.migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'old.db'}", poolclass=sa.NullPool)
    with contextlib.closing(engine.connect()) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert "verdicts" not in sa.inspect(connection).get_table_names()
        command.upgrade(config, "0002")
        sa.inspect(connection).clear_cache()
    with contextlib.closing(engine.connect()) as connection:
        assert "verdicts" in sa.inspect(connection).get_table_names()
