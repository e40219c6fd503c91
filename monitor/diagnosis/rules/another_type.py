"""R11: a page of markup came in the place of our own data or code: an error page, a sign-in page, a front page."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.diagnosis.compared import differences
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.wording import where
from monitor.domain.cause import Detail, Party
from monitor.domain.diagnosis import Alternative
from monitor.domain.evidence import StepErrorKind
from monitor.domain.exchange import Exchange
from monitor.domain.reference import Difference

_LATE = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE})
_READ_BY_CODE = frozenset({"script", "stylesheet", "xhr", "fetch"})
_MARKUP = "text/html"
_REDIRECTED = 300


def page_for_own_answer(incident: Incident) -> Finding | None:
    """R11: since the last good run an own address sends a page where it sent data or code, and nothing else failed."""
    if incident.kind not in _LATE or incident.needed:
        return None
    found = became_a_page(incident, incident.exchanges)
    if found is None or incident.owner(found[0]).party is not Party.OWN:
        return None
    exchange, words = found
    words = f"{where(exchange)} {words}"
    other = alternative(Detail.OWN_SCRIPT, "our own code may ask the wrong address")
    return changed_content(incident, (exchange,), words, other)


def changed_content(incident: Incident, exchanges: tuple[Exchange, ...], words: str, other: Alternative) -> Finding:
    """Return the finding that what the last of these exchanges brought is no longer what it was."""
    owner = incident.owner(exchanges[-1])
    return Finding(
        detail=Detail.OWN_CONTENT,
        families=frozenset({Family.COMPARISON}),
        because=f"{incident.scene} {words}; it belongs to {owner.title}.",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(each.id for each in exchanges),
        alternatives=(other,),
    )


def became_a_page(incident: Incident, exchanges: Iterable[Exchange]) -> tuple[Exchange, str] | None:
    """Return the exchange that code reads, and that brought markup where it did not in the last good run."""
    turned = {each.exchange: each for each in differences(incident) if _is_page_now(each)}
    for exchange in exchanges:
        good = exchange.status is not None and exchange.status < _REDIRECTED and exchange.failure is None
        if good and exchange.id in turned and not incident.owner(exchange).beside:
            before = _essence(turned[exchange.id].before)
            return exchange, f"answered {exchange.status} with a page of markup, and with {before} in the last good run"
    return None


def _is_page_now(difference: Difference) -> bool:
    if difference.header != "content-type" or difference.resource not in _READ_BY_CODE:
        return False
    before = _essence(difference.before)
    return _essence(difference.after) == _MARKUP and before not in ("", _MARKUP)


def _essence(mime: str) -> str:
    return mime.partition(";")[0].strip().lower()


RULES = (Rule(id="R11", decide=page_for_own_answer),)
