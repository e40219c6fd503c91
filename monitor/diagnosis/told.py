"""Each experiment of an investigation in one short sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from monitor.diagnosis.incident import Incident
from monitor.diagnosis.names_asked import asked_in_words
from monitor.diagnosis.rules.access import BY_OUR_NAME
from monitor.diagnosis.trials import came_and_went, passed
from monitor.diagnosis.wording import happening, listed
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome
from monitor.domain.reference import Lately

_AT_MOST = 20
_LOOKS = {
    ExperimentKind.CONTROL: "control",
    ExperimentKind.RESOLVER: "name asked of {by}",
    ExperimentKind.REPROBE: "asked again from here",
    ExperimentKind.ORIGIN: "origin {by} asked directly",
    ExperimentKind.TENANT: "another customer of the vendor",
    ExperimentKind.VANTAGE: "asked from {by}",
    ExperimentKind.DIRECT: "asked without the proxy",
    ExperimentKind.CLIENT: "asked as an ordinary browser",
}


def told(incident: Incident) -> tuple[str, ...]:
    """Return that the check comes and goes, and what each experiment showed; at most twenty sentences.

    Experiments that are alike are counted together.
    """
    groups = groupby(incident.evidence.experiments, key=_sentence)
    return (*of_late(incident), *(_counted(sentence, group) for sentence, group in groups))[:_AT_MOST]


def of_late(incident: Incident) -> Iterator[str]:
    """Yield how often the check failed and was well again, where it comes and goes."""
    lately = incident.evidence.lately
    if lately is not None and came_and_went(incident):
        yield f"in the {lately.runs} runs before, it failed and was well again {lately.returns} times"


def fared(lately: Lately) -> str:
    """Return in one sentence how a check fared in the day before a run."""
    if not lately.runs:
        return "In the day before there was no run of the check that tells anything."
    if not lately.failed and not lately.returns:
        return f"None of the last runs of the check in the day before failed ({lately.runs})."
    often = "once" if lately.returns == 1 else f"{lately.returns} times"
    back = f"; it was well again {often}" if lately.returns else ""
    return f"Of the last {lately.runs} runs of the check in the day before {lately.failed} failed{back}."


def _counted(sentence: str, group: Iterable[Experiment]) -> str:
    times = sum(1 for _ in group)
    return sentence if times == 1 else f"{sentence} ({times} times)"


def _sentence(experiment: Experiment) -> str:
    return f"{_name(experiment)}: {_result(experiment)}"


def _name(experiment: Experiment) -> str:
    if experiment.kind in _LOOKS:
        named = experiment.kind is ExperimentKind.RESOLVER
        words = "asked by {by}" if experiment.by == BY_OUR_NAME else _LOOKS[experiment.kind]
        return words.format(by=asked_in_words(experiment.by) if named else experiment.by)
    hosts = listed(_hosts(experiment))
    match experiment.kind:
        case ExperimentKind.RERUN:
            return "journey made again"
        case ExperimentKind.PROFILE | ExperimentKind.ACCOUNT:
            return f"journey as {experiment.subject}"
        case ExperimentKind.BLOCK:
            return f"journey with {hosts} blocked"
        case ExperimentKind.REPLAY:
            return f"journey with the last good answers of {hosts}{experiment.path}"
        case _:
            return f"journey with {hosts} answering at once"


def _hosts(experiment: Experiment) -> Iterator[str]:
    yield from experiment.hosts or (experiment.subject,)


def _result(experiment: Experiment) -> str:
    if experiment.outcome is Outcome.INCONCLUSIVE:
        return f"came to no result{f' ({experiment.note})' if experiment.note else ''}"
    if experiment.kind.is_look and experiment.exchanges:
        return happening(experiment.exchanges[-1])
    if passed(experiment):
        return "passed"
    return f"failed in {experiment.failed_step}" if experiment.failed_step else "failed"
