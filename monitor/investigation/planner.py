"""Chooses what to try next. Pure: what was tried already stands in the evidence.

Looks come first, all at once: they are cheap, and most causes need no more. Journeys follow one by one, until the cause
is confirmed or nothing that is left could change what is said:

====================================================  ====================================================
what is seen                                          what is tried, in this order
====================================================  ====================================================
any failure                                           each control, on the way that the run took
a needed request failed                               it is asked once more; four times more where that passed
it must not be sent again                             its host's root, once: only whether it can be reached
its name was not resolved, or led astray              the client's own resolver, and each configured one; one of
                                                      the zone's own servers
a resolver answered SERVFAIL                          the same resolver, without a check of signatures
its host has an origin, or is served by a vendor      the origin past the edge; another tenant of the vendor
other places, or a proxy, are configured              the same from there; the same past the proxy
it was refused with 401 or 403                        the same as an ordinary browser, once
a rate limit or a robot challenge answered            nothing more at that host
only a sign-in was refused                            the journey with the check's second account, once
we ourselves were unwell                              the run again, once
the client is an unusual one                          the reference profile
a policy that changed forbids a request               the host that changed it, as it last was
a needed host left an archive                         that host as it last was
needed hosts of several parties failed                each as it last was, then all of them together
an exception, something in the way, a hang, an        the likeliest suspect first: a vendor that can be spared is
element that is missing, a page that is busy          left out, then answered as it last was; ourselves as we
                                                      were, only the paths that changed; then other strong suspects
nobody is strongly suspected, or none of it helped    without every vendor that can be spared; half of them where
                                                      that broke an earlier step; all vendors as they were; then
                                                      ourselves as we were
leaving out several helped                            without the likeliest, or half, of those
an answer of an HTTP journey changed                  each such answer as it last was, the last asked first; then
                                                      all of a host of which several changed
one of these passed                                   the journey unchanged, to see that it still fails; then the
                                                      same change again, where only two journeys speak for it
none of these is left                                 the journey unchanged, to see whether it still fails
that passed, and no vendor visibly failed             the journey unchanged, up to three times in all
a journey broke off at an earlier step                the same once more, unless what it left out broke it
====================================================  ====================================================

The likeliest suspect is whose code came with nothing in it; whose code threw or made what is in the way; who changed a
policy that forbids a request; of a page that hung as a whole, the vendor whose script came last before; whose script
hangs, kept the page busy or failed; who answers otherwise than in the last good run. A vendor cannot be spared that is
stated or known to be critical, that pages are built on, that failed what the step needs, or without which an earlier
step broke.

A journey is never made again where a step on the way has effects, nor after a rate limit or a robot challenge.
"""

from __future__ import annotations

from monitor.diagnosis.rules.access import ACCOUNT_RULE
from monitor.domain.cause import Cause, Detail
from monitor.domain.diagnosis import Diagnosis
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, Validity
from monitor.investigation.experiments import Again, Batch
from monitor.investigation.interventions import interventions, jointly, narrower, once_more, rerun, was_helpful
from monitor.investigation.looks import controls, explaining, looks_for, probes
from monitor.investigation.situation import Situation
from monitor.investigation.suspects import fell_short

# Seconds that a journey needs at the least to be worth beginning.
LEAST_SECONDS = 3.0
_WITH_RERUN = 2
_RERUNS = 3
_BY_ACCOUNT = frozenset({Detail.UND_MONITOR_CONFIG, Detail.UND_INSUFFICIENT})
_BY_PROFILE = frozenset({Detail.CLIENT_BROWSER, Detail.CLIENT_SLOW_LINK})


def next_batch(situation: Situation) -> Batch | None:
    """Return what to try next, or ``None`` where nothing is worth its cost any more."""
    judgement = situation.case.judgement
    if judgement.outcome is Outcome.PASSED or judgement.diagnosis is None or situation.left.seconds <= 0:
        return None
    if judgement.validity is Validity.INVALID:
        return _as_somebody_else(situation) or _once_more(situation)
    looks = looks_for(situation)
    if situation.case.settled:
        looks = explaining(looks)
    if looks:
        return Batch(settles="on which side of the line it is", looks=looks)
    if situation.case.settled or _is_client(judgement.diagnosis):
        return None
    return _as_somebody_else(situation) or _journey(situation)


def brief_batch(situation: Situation) -> Batch | None:
    """Return the little that is tried for a repeated failure: the controls, and one look at what failed."""
    looks = (*controls(situation), *tuple(probes(situation))[:1])
    return Batch(settles="whether it is still the same", looks=looks[: situation.left.requests]) if looks else None


def _is_client(diagnosis: Diagnosis) -> bool:
    """Say whether the customer's own side is found at fault, in a way that no other profile would tell more about."""
    return diagnosis.cause is Cause.CLIENT_ENVIRONMENT and diagnosis.detail not in _BY_PROFILE


def _as_somebody_else(situation: Situation) -> Batch | None:
    """Where only the account was refused, the second one tells whose it is; the sign-in is made with no third."""
    diagnosis, account = situation.case.judgement.diagnosis, situation.check.second_account
    if not account or diagnosis is None or diagnosis.rule != ACCOUNT_RULE or situation.done(ExperimentKind.ACCOUNT):
        return None
    if diagnosis.detail not in _BY_ACCOUNT:
        return None
    if situation.left.journeys < 1 or not situation.repeatable or situation.left.seconds < LEAST_SECONDS:
        return None
    again = Again(
        kind=ExperimentKind.ACCOUNT,
        subject="the second account",
        until=situation.until,
        profile=situation.check.profile,
        values=account,
    )
    return Batch(settles="whether only our account is refused", again=again)


def _once_more(situation: Situation) -> Batch | None:
    """A run in which we were unwell says nothing; the second one does."""
    if situation.done(ExperimentKind.RERUN) or situation.left.journeys < 1 or not situation.repeatable:
        return None
    return Batch(settles="what the run would have shown", again=rerun(situation))


def _journey(situation: Situation) -> Batch | None:
    if situation.left.journeys < 1 or not situation.repeatable or situation.left.seconds < LEAST_SECONDS:
        return None
    reruns = situation.done(ExperimentKind.RERUN)
    if reruns:
        if _is_in_doubt(situation, reruns):
            return Batch(settles="whether it is gone", again=rerun(situation))
        proof = once_more(situation) if reruns[-1].outcome is Outcome.FAILED else None
        return Batch(settles="whether it comes and goes by itself", again=proof) if proof else None
    again = _changed(situation)
    if again is not None:
        return Batch(settles="which resource it is", again=again)
    return Batch(settles="whether it still fails", again=rerun(situation))


def _is_in_doubt(situation: Situation, reruns: tuple[Experiment, ...]) -> bool:
    """Say whether journeys that passed, or did not come so far, leave open whether the failure is gone."""
    if len(reruns) >= _RERUNS or any(each.outcome is Outcome.FAILED for each in reruns):
        return False
    if reruns[-1].outcome is Outcome.INCONCLUSIVE:
        return fell_short(reruns[-1]) and len(reruns) < _RERUNS - 1
    # What a third party visibly answered stands, whether or not it does so again.
    return not any(host.needed and host.foreign for host in situation.case.hosts)


def _changed(situation: Situation) -> Again | None:
    """Return one more journey with something changed, as long as the unchanged one can still follow.

    Where two parties fail at once, each journey with one of them as it was has shown that it still fails: the last
    journey is for both of them together.
    """
    if any(was_helpful(each) for each in situation.evidence.experiments):
        return narrower(situation) if situation.left.journeys >= _WITH_RERUN else None
    if situation.left.journeys < _WITH_RERUN:
        return jointly(situation)
    found = interventions(situation)
    return found[0] if found else None
