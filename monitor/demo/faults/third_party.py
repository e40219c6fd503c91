"""Faults of the shop's vendors, two of them harmless."""

from __future__ import annotations

from monitor.demo.certificates import CertificateKind
from monitor.demo.effects import Delay, Hang, Listen, Present, Respond, Rewrite, RewriteHeader, Scope
from monitor.demo.faults.fault import BROWSER_JOURNEYS, Fault, Side
from monitor.demo.hosts import Host
from monitor.demo.listener import Listening
from monitor.domain.cause import Detail

_PAYMENT = Scope(host=Host.PAYMENT)
_UNAVAILABLE = "no healthy upstream"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"

THIRD_PARTY = (
    Fault(
        name="payment-refuses",
        side=Side.THIRD_PARTY,
        title="Payment provider down",
        explanation="Example Pay refuses connections.",
        notice="The card form never appears at checkout.",
        detail=Detail.TP_CONNECT,
        effects=(Listen(hosts=(Host.PAYMENT,)),),
        journeys=("checkout",),
    ),
    Fault(
        name="payment-503",
        side=Side.THIRD_PARTY,
        title="Payment provider unavailable",
        explanation="Example Pay answers 503 to everything.",
        notice="The card form never appears at checkout.",
        detail=Detail.TP_HTTP_STATUS,
        effects=(Respond(scope=_PAYMENT, status=503, body=_UNAVAILABLE, media_type=_TEXT),),
        journeys=("checkout",),
    ),
    Fault(
        name="payment-slow",
        side=Side.THIRD_PARTY,
        title="Payment provider slow",
        explanation="Example Pay takes six seconds longer to charge a card.",
        notice="The wheel turns for a long time after the click on the pay button.",
        detail=Detail.TP_SLOW,
        effects=(Delay(scope=Scope(host=Host.PAYMENT, path="/v1/tokens"), seconds=6),),
        journeys=("checkout",),
    ),
    Fault(
        name="payment-cors",
        side=Side.THIRD_PARTY,
        title="Payment provider drops CORS",
        explanation="Example Pay answers, but no longer allows the shop's pages to read the answer.",
        notice="The card form never appears at checkout.",
        detail=Detail.TP_POLICY,
        effects=(RewriteHeader(scope=_PAYMENT, name="access-control-allow-origin"),),
        journeys=("checkout",),
    ),
    Fault(
        name="payment-certificate-expired",
        side=Side.THIRD_PARTY,
        title="Payment certificate expired",
        explanation="Example Pay's certificate ended two days ago.",
        notice="The card form never appears at checkout.",
        detail=Detail.TP_TLS,
        effects=(Present(hosts=(Host.PAYMENT,), kind=CertificateKind.EXPIRED),),
        journeys=("checkout",),
    ),
    Fault(
        name="payment-throttles",
        side=Side.THIRD_PARTY,
        title="Payment provider throttles us",
        explanation="Example Pay answers 429 to new payment sessions.",
        notice="The card form never appears at checkout.",
        detail=Detail.TP_ACCESS,
        effects=(
            Respond(
                scope=Scope(host=Host.PAYMENT, path="/v1/sessions", method="POST"),
                status=429,
                body='{"error": "quota of this merchant is used up"}',
                media_type=_JSON,
                headers=(("Retry-After", "120"),),
            ),
        ),
        journeys=("checkout",),
    ),
    Fault(
        name="cdn-hangs",
        side=Side.THIRD_PARTY,
        title="Library CDN hangs",
        explanation="A script that every page waits for is never delivered.",
        notice="A white page and a spinner.",
        detail=Detail.TP_SLOW,
        effects=(Hang(scope=Scope(host=Host.CDN)),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="cdn-empty",
        side=Side.THIRD_PARTY,
        title="Library CDN sends an empty file",
        explanation="The library arrives with status 200 and no content, so the shop's own script fails.",
        notice="The shelf stays empty.",
        detail=Detail.TP_CONTENT,
        effects=(Respond(scope=Scope(host=Host.CDN), status=200, media_type="text/javascript; charset=utf-8"),),
        journeys=("checkout", "search"),
    ),
    Fault(
        name="cdn-resets",
        side=Side.THIRD_PARTY,
        title="Library CDN resets connections",
        explanation="Connections to the CDN are reset at once.",
        notice="The shelf stays empty.",
        detail=Detail.TP_CONNECT,
        effects=(Listen(hosts=(Host.CDN,), how=Listening.RESETS),),
        journeys=("checkout", "search"),
    ),
    Fault(
        name="identity-503",
        side=Side.THIRD_PARTY,
        title="Identity provider unavailable",
        explanation="Example ID answers 503 to everything.",
        notice="Signing in ends on an error page of another company.",
        detail=Detail.TP_HTTP_STATUS,
        effects=(Respond(scope=Scope(host=Host.IDENTITY), status=503, body=_UNAVAILABLE, media_type=_TEXT),),
        journeys=("login",),
    ),
    Fault(
        name="consent-overlay",
        side=Side.THIRD_PARTY,
        title="Consent notice covers the page",
        explanation="An update of the tag manager lays its consent notice over the checkout, with no way to close it.",
        notice="The pay button can be seen but not clicked.",
        detail=Detail.TP_SCRIPT,
        effects=(
            Rewrite(
                scope=Scope(host=Host.TAGS),
                old='{ place: "footer", pages: "/" }',
                new='{ place: "layer", pages: "/checkout" }',
            ),
        ),
        journeys=("checkout",),
    ),
    Fault(
        name="tag-removes-form",
        side=Side.THIRD_PARTY,
        title="A tag removes the checkout form",
        explanation="The tag manager loads an advertiser's script that replaces the checkout form with an offer.",
        notice="There is nothing to fill in at checkout.",
        detail=Detail.TP_SCRIPT,
        effects=(Rewrite(scope=Scope(host=Host.TAGS), old="const extra = [];", new="const extra = [offers];"),),
        journeys=("checkout",),
    ),
    Fault(
        name="tag-busy",
        side=Side.THIRD_PARTY,
        title="A tag keeps the page busy",
        explanation="The analytics script computes for four seconds on every page, and nothing else can run.",
        notice="The page is frozen: no click, no scrolling.",
        detail=Detail.TP_SLOW,
        effects=(Rewrite(scope=Scope(host=Host.STATS), old="fingerprint(1)", new="fingerprint(4000)"),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="fonts-slow",
        side=Side.THIRD_PARTY,
        title="Font service slow",
        explanation="The stylesheet of the fonts, which every page waits for, takes two seconds longer.",
        notice="Each page stays white for two seconds.",
        detail=Detail.TP_SLOW,
        effects=(Delay(scope=Scope(host=Host.FONTS), seconds=2),),
        journeys=("checkout", "search"),
    ),
    Fault(
        name="analytics-refuses",
        side=Side.THIRD_PARTY,
        title="Analytics down",
        explanation="The analytics host refuses connections. A customer does not need it.",
        notice="Nothing.",
        detail=None,
        effects=(Listen(hosts=(Host.STATS,)),),
    ),
    Fault(
        name="ads-hang",
        side=Side.THIRD_PARTY,
        title="Advertiser hangs",
        explanation="The ad script never arrives. It loads beside the page, so the page works all the same.",
        notice="No ad, and a browser tab that seems to load for ever.",
        detail=None,
        effects=(Hang(scope=Scope(host=Host.ADS)),),
    ),
)
