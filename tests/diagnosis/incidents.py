"""Evidence of runs of a shop, in few words."""

from __future__ import annotations

from typing import Any

from monitor.diagnosis.context import Context, context_for
from monitor.diagnosis.judge import judge
from monitor.diagnosis.names import Names, parts_of
from monitor.domain.evidence import Evidence, StepError, StepErrorKind, StepResult
from monitor.domain.exchange import Exchange, Initiator
from monitor.domain.outcome import Outcome, StepOutcome
from monitor.domain.ownership import CapabilityOwner, HostedName, Ownership, Vendor
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

    def __init__(self, names: Names, ownership: Ownership = OWNERSHIP, **profile: Any) -> None:
        check = a_check(target=a_target(base_url=SHOP), profile=a_profile(**profile))
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
