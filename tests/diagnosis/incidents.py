"""Evidence of runs of a shop, in few words."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.diagnosis.context import Context, context_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names, parts_of
from monitor.domain.evidence import Comparison, Evidence, StepError, StepErrorKind, StepResult
from monitor.domain.exchange import Exchange, Initiator
from monitor.domain.experiment import Experiment, ExperimentKind
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import CapabilityOwner, HostedName, Ownership, Vendor
from monitor.domain.reference import Difference, DifferenceKind
from monitor.domain.run import Judgement
from tests.builders import a_check, a_profile, a_target, an_attempt, an_evidence, an_exchange

SHOP = "https://www.shop.example/"
API = "https://api.shop.example/order"
PAY = "https://pay.payments.example/charge"
ADS = "https://ads.adverts.example/banner.js"
CDN = "https://cdn.libraries.example/lib.js"

OWNERSHIP = Ownership(
    domains=("shop.example",),
    vendors=(
        Vendor(name="Example Pay", hosts=("pay.payments.example",), critical=True, category="payment"),
        Vendor(name="Adverts", hosts=("*.adverts.example",), category="ad"),
        Vendor(name="Libraries", hosts=("cdn.libraries.example",)),
    ),
    hosted=(HostedName(host="support.shop.example", vendor="Help Desk"),),
    capabilities=(CapabilityOwner(capability="payments", team="team-payments"),),
    edges=("edgecdn",),
    default_team="team-shop",
)


class Court:
    """Judges evidence with the shop's ownership."""

    def __init__(
        self, names: Names, ownership: Ownership = OWNERSHIP, values: tuple[tuple[str, Any], ...] = (), **profile: Any
    ) -> None:
        check = a_check(target=a_target(base_url=SHOP), profile=a_profile(**profile), values=values)
        self.context: Context = context_for(check, ownership, names)

    def judge(self, evidence: Evidence) -> Judgement:
        return judge(evidence, self.context)

    def detail(self, evidence: Evidence) -> str:
        diagnosis = self.judge(evidence).diagnosis
        return diagnosis.detail.value if diagnosis else "none"


def request(url: str = SHOP, **values: Any) -> Exchange:
    host = parts_of(url).hostname or ""
    failed = "failure" in values or values.get("pending")
    defaults = {"id": url, "url": url, "host": host, "step": "pay", "status": None if failed else 200}
    return an_exchange(**{**defaults, "resource": "xhr", **values})


def page(url: str = SHOP, **values: Any) -> Exchange:
    return request(url, **{"resource": "document", "initiator": Initiator(kind="other"), **values})


def a_step(**values: Any) -> StepResult:
    defaults = {"name": "pay", "title": "Pay", "outcome": StepOutcome.FAILED, "duration": 2.0, "capability": "payments"}
    return StepResult(**{**defaults, **values})


def failed(
    *exchanges: Exchange,
    kind: StepErrorKind = StepErrorKind.TIMEOUT,
    error: dict[str, Any] | None = None,
    attempt: dict[str, Any] | None = None,
    **values: Any,
) -> Evidence:
    step = a_step(error=StepError(**{"kind": kind, "message": "it was not there", **(error or {})}))
    deciding = an_attempt(**{"outcome": Outcome.FAILED, "steps": (step,), **(attempt or {})})
    return an_evidence(**{"attempts": (deciding,), "exchanges": exchanges, **values})


def passed(*exchanges: Exchange, **values: Any) -> Evidence:
    return an_evidence(exchanges=exchanges, **values)


def look(kind: ExperimentKind, subject: str, *, by: str = "", started: float = 3.0, **exchange: Any) -> Experiment:
    """One light request of an investigation; without a status and a failure it is answered 200."""
    host = exchange.pop("host", parts_of(subject if "://" in subject else f"https://{subject}/").hostname or "")
    failed = "failure" in exchange
    defaults = {"id": "look", "url": f"https://{host}/", "host": host, "status": None if failed else 200}
    end = an_exchange(**{**defaults, "address": f"192.0.2.{sum(map(ord, host)) % 250}", **exchange})
    well = end.failure is None and end.status is not None and end.status < 400
    outcome = Outcome.PASSED if well else Outcome.FAILED
    return Experiment(
        kind=kind, subject=subject, by=by, outcome=outcome, duration=0.1, started=started, exchanges=(end,)
    )


CONTROLS = ("https://one.example/", "https://two.example/", "https://three.example/")


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the monitor itself logged: threads and tasks that other tests left behind may speak at any moment."""
    return [each.getMessage() for each in caplog.records if each.name.startswith("monitor.")]


def controls(*ends: dict[str, Any]) -> tuple[Experiment, ...]:
    """What became of the three controls; those for which nothing is said were answered."""
    said = [*ends, *({} for _ in CONTROLS)]
    return tuple(look(ExperimentKind.CONTROL, url, **end) for url, end in zip(CONTROLS, said, strict=False))


def again(kind: ExperimentKind, *hosts: str, well: bool, **values: Any) -> Experiment:
    """The journey made again."""
    outcome = Outcome.PASSED if well else Outcome.FAILED
    defaults = {"subject": hosts[0] if hosts else "buy", "hosts": hosts, "failed_step": "" if well else "pay"}
    return Experiment(**{**defaults, "kind": kind, "outcome": outcome, "duration": 1.0, **values})


def proven(kind: ExperimentKind, *hosts: str, **values: Any) -> tuple[Experiment, ...]:
    """With the change the journey passes, without it fails, and with it passes again."""
    changed = again(kind, *hosts, well=True, **values)
    return changed, again(ExperimentKind.RERUN, well=False), changed


def compared(*differences: Difference) -> Comparison:
    return Comparison(run_id="good", age=600.0, differences=differences)


def difference(kind: DifferenceKind, url: str, **values: Any) -> Difference:
    return Difference(**{"kind": kind, "url": url, "host": parts_of(url).hostname or "", "exchange": url, **values})
