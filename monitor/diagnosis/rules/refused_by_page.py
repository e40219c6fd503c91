"""R07: our page's own policy keeps its code from running, or from data: of that only the console tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.diagnosis.compared import differences, is_comparable
from monitor.diagnosis.incident import Family, Finding, Incident, Rule, alternative
from monitor.diagnosis.names import parts_of
from monitor.domain.cause import Detail, Party
from monitor.domain.evidence import StepErrorKind
from monitor.domain.reference import Difference, DifferenceKind

_LATE = frozenset({StepErrorKind.EXPECTATION, StepErrorKind.TIMEOUT, StepErrorKind.DEADLINE})
_POLICY = "content-security-policy"
# What the browser refused, and the directive for which it did, in the words of Chromium's console.
_BY_DIRECTIVE = re.compile(
    r"^(?:Uncaught )?(?:EvalError: )?(?P<what>.{0,400}?) violates the following Content Security Policy directive"
    r"(?:: ?\"|:? '| because [^:]{0,80}: )(?P<directive>[^\"]+?)(?:'\. |\"|$)",
    re.DOTALL,
)
_ADDRESS = re.compile(r"'((?:https?|wss?)://[^']+)'")
_CODE_OF_THE_PAGE = re.compile(r"inline script|inline event handler|JavaScript URL|string as JavaScript", re.IGNORECASE)
_SANDBOXED = re.compile(r"Blocked script execution in '([^']+)' because the document's frame is sandboxed")
_TYPED = re.compile(r"This document requires 'Trusted\w+' assignment")


def refused_by_page(incident: Incident) -> Finding | None:
    """R07: our page's policy, not what it was in the last good run, keeps its code from running or from its data."""
    untold = incident.kind in _LATE and not incident.needed and incident.replayed is None and incident.blocked is None
    if not untold or not is_comparable(incident):
        return None
    pages = [each for each in differences(incident) if _is_policy_of_ours(incident, each)]
    found = next(((page, what) for page in pages for what in _kept_from(incident, page)), None)
    if found is None:
        return None
    page, what = found
    owner = incident.context.owners.owner_of(page.url)
    words = f"the page's {_POLICY}, which changed since the last good run, keeps its code from {what}"
    return Finding(
        detail=Detail.OWN_POLICY,
        families=frozenset({Family.CODES, Family.COMPARISON}),
        because=f"{incident.scene} {words} ({owner.title}).",
        culprit=incident.culprit(owner),
        evidence=(words, owner.because),
        exchanges=tuple(x.id for x in incident.exchanges if x.url == page.url)[:1],
        alternatives=(alternative(Detail.OWN_SCRIPT, "our own code may do what it should not"),),
    )


def _is_policy_of_ours(incident: Incident, difference: Difference) -> bool:
    own = incident.context.owners.owner_of(difference.url).party is Party.OWN
    return own and difference.resource == "document" and difference.header == _POLICY


def _kept_from(incident: Incident, page: Difference) -> Iterator[str]:
    """Yield what the browser says that it refused because of what is new in a page's policy."""
    said = [line.text for line in incident.evidence.console]
    for text in (*said, *(error.message for error in incident.evidence.page_errors)):
        by, sandboxed = _BY_DIRECTIVE.search(text), _SANDBOXED.search(text)
        if by is not None and by["directive"].strip() in _new_directives(page):
            yield from _refused(incident, by["what"])
        elif sandboxed is not None and _place(sandboxed[1]) == _place(page.url) and _has_new(page, "sandbox"):
            yield "running at all"
        elif _TYPED.search(text) and _has_new(page, "require-trusted-types-for"):
            yield "writing to the page"


def _has_new(page: Difference, name: str) -> bool:
    return any(directive.startswith(name) for directive in _new_directives(page))


def _new_directives(page: Difference) -> frozenset[str]:
    # Several policies of one answer stand behind one another, parted by commas.
    before, after = (re.split(r"[;,]", text) for text in (page.before, page.after))
    return frozenset(each.strip() for each in after if each.strip()) - {each.strip() for each in before}


def _refused(incident: Incident, what: str) -> Iterator[str]:
    """Yield what was refused, if the page may miss it: its own code, a form, or data that the last good run got."""
    address = _ADDRESS.search(what)
    if address is None:
        if _CODE_OF_THE_PAGE.search(what):
            yield "running as it stands in the page"
        return
    owner = incident.context.owners.owner_of(address[1])
    missed = {_place(each.url) for each in differences(incident) if each.kind is DifferenceKind.MISSING}
    sent = what.startswith("Sending form data")
    if (owner.party is Party.OWN or owner.critical) and (sent or _place(address[1]) in missed):
        yield "".join(_place(address[1]))


def _place(url: str) -> tuple[str, str]:
    return parts_of(url).hostname or "", parts_of(url).path


RULES = (Rule(id="R07", decide=refused_by_page),)
