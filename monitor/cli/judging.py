"""The commands about verdicts: explain a run, correct its diagnosis, judge stored runs again."""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
import json
import os
import sys
from typing import Annotated

import typer

from monitor.cli import asking, explain
from monitor.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    DataOption,
    ListenOption,
    PasswordFileOption,
    UsernameOption,
    console_for_text,
    progress_to_stderr,
    span_of,
)
from monitor.cli.replay import Replay, replay
from monitor.config.settings import Settings
from monitor.diagnosis.names import load_names
from monitor.domain.clock import SystemClock
from monitor.domain.secret import Redactor
from monitor.history import FieldAccuracy, PastVerdict, StoredRun
from monitor.history.corrections import Say, Saying
from monitor.history.rejudging import CannotJudgeError, Rejudging
from monitor.reading.suggestion import did_you_mean
from monitor.service import StartupChoices, StartupError, read_settings

_MANY = 20_000


def explain_run(
    run_id: Annotated[str | None, typer.Argument(help="The id of a run, as in its alert, log line or page.")] = None,
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    listen: ListenOption = None,
    username: UsernameOption = None,
    password_file: PasswordFileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as one JSON object.")] = False,
    rejudge: Annotated[bool, typer.Option("--rejudge", help="Judge its evidence by today's rules.")] = False,
    save: Annotated[bool, typer.Option("--save", help="With --rejudge: keep the new verdict.")] = False,
    correct: Annotated[
        str | None, typer.Option(metavar="CAUSE_OR_DETAIL", help="Say what the cause really was, such as own.tls.")
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Say that the diagnosis was right.")] = False,
    culprit: Annotated[str, typer.Option(help="With --correct: the team, vendor or part of the environment.")] = "",
    reason: Annotated[str, typer.Option(help="Why; for the people who come after you.")] = "",
    by: Annotated[str, typer.Option(help="Who says so; your user name otherwise.")] = "",
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Tell how often people agreed with the rules.")] = False,
    since: Annotated[str, typer.Option(help="With --accuracy: how far back.")] = "90d",
) -> None:
    """Say whose failure a run was, why, and what that rests on; or say that it was another's."""
    if sum((rejudge, correct is not None, confirm, accuracy)) > 1:
        msg = "--rejudge, --correct, --confirm and --accuracy are asked one at a time"
        raise StartupError(msg)
    _refuse_if_alone("--save", "--rejudge", given=save, met=rejudge)
    _refuse_if_alone("--culprit", "--correct", given=culprit, met=correct is not None)
    _refuse_if_alone("--reason", "--correct or --confirm", given=reason, met=confirm or correct is not None)
    if accuracy and run_id is not None:
        msg = f"--accuracy tells of all runs together: leave '{run_id}' out"
        raise StartupError(msg)
    choices = StartupChoices(data=data, listen=listen, username=username, password_file=password_file)
    settings = read_settings(config, os.environ, choices)
    chosen = data is not None
    if accuracy:
        _tell_accuracy(settings, since, as_json=as_json)
        return
    if run_id is None:
        msg = "name the run: faultline explain RUN_ID"
        raise StartupError(msg)
    if correct is not None or confirm:
        say = Say.CONFIRM if confirm else Say.CORRECT
        author = by or _user()
        _say(
            settings,
            Saying(run_id=run_id, say=say, meant=correct or "", culprit=culprit, reason=reason, author=author),
            chosen=chosen,
            as_json=as_json,
        )
    elif rejudge:
        _rejudge(settings, run_id)
        if save:
            saying = Saying(run_id=run_id, say=Say.REJUDGE, reason="judged again", author=by or _user())
            _say(settings, saying, chosen=chosen, as_json=False)
    else:
        _explain(settings, run_id, as_json=as_json)


def _refuse_if_alone(option: str, other: str, *, given: object, met: bool) -> None:
    if given and not met:
        msg = f"{option} says nothing without {other}"
        raise StartupError(msg)


def replay_runs(
    *,
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d.")] = "7d",
    check: Annotated[str | None, typer.Option(help="Only runs of this check.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MANY, help="At most so many runs, the newest.")] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge stored runs by today's rules and owners, and tell which verdicts that would change. Nothing is kept."""
    settings = read_settings(config, os.environ, StartupChoices(data=data))
    known = [one.name for one in settings.checks]
    if check is not None and check not in known:
        msg = f"no check is called '{check}'{did_you_mean(check, known) or '; there are: ' + ', '.join(known)}"
        raise StartupError(msg)
    moment = SystemClock().now() - dt.timedelta(seconds=span_of("--since", since))
    found = asyncio.run(_replay(settings, moment, check, limit))
    if as_json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
        return
    for line in found.lines():
        print(line)


async def _replay(settings: Settings, since: dt.datetime, check: str | None, limit: int) -> Replay:
    names = await asyncio.to_thread(load_names)
    async with asking.reading(settings.storage) as reader:
        progress = progress_to_stderr(sys.stderr, "runs")
        # One more than is looked at tells whether there are more.
        run_ids = await reader.with_evidence(since, check=check, limit=limit + 1)
        found = await replay(reader, run_ids[:limit], Rejudging(settings, names), progress=progress)
    found.bounded = len(run_ids) > limit
    return found


def _explain(settings: Settings, run_id: str, *, as_json: bool) -> None:
    stored, verdicts = asyncio.run(_find(settings, run_id))
    if as_json:
        print(json.dumps(explain.as_json(stored, Redactor(settings.secrets)), ensure_ascii=False))
        return
    console = console_for_text()
    for line in explain.told(stored, verdicts):
        console.print(line)
    print(f"page: {settings.web.url}/runs/{run_id}")


async def _find(settings: Settings, run_id: str) -> tuple[StoredRun, tuple[PastVerdict, ...]]:
    async with asking.reading(settings.storage) as reader:
        return await explain.find(reader, run_id, settings.storage), await reader.verdicts(run_id)


def _rejudge(settings: Settings, run_id: str) -> None:
    stored, _ = asyncio.run(_find(settings, run_id))
    try:
        new = Rejudging(settings, load_names()).judge(stored)
    except CannotJudgeError as error:
        raise StartupError(str(error)) from error
    console = console_for_text()
    console.print(explain.side_by_side(stored.judgement, new))
    print(explain.difference(stored.judgement, new))


def _say(settings: Settings, saying: Saying, *, chosen: bool, as_json: bool) -> None:
    said = asyncio.run(asking.say(settings, saying, chosen=chosen))
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
        return
    verdict = said["verdict"]
    culprit = f", {verdict['culprit']}" if verdict["culprit"] else ""
    what = f"{verdict['detail']}{culprit}" if verdict["detail"] else verdict["outcome"]
    standing = "in force" if said["in_force"] else "kept beside a person's verdict, which stays in force"
    print(f"run {saying.run_id}: {what}; {standing}")


def _tell_accuracy(settings: Settings, since: str, *, as_json: bool) -> None:
    moment = SystemClock().now() - dt.timedelta(seconds=span_of("--since", since))

    async def ask() -> FieldAccuracy:
        async with asking.reading(settings.storage) as reader:
            return await reader.field_accuracy(moment)

    found = asyncio.run(ask())
    if as_json:
        print(json.dumps(explain.accuracy_json(found)))
        return
    print(explain.accuracy_line(found, since))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
