"""Faults of the shop itself."""

from __future__ import annotations

from monitor.demo.certificates import CertificateKind
from monitor.demo.effects import Delay, Hang, Listen, Present, Respond, Rewrite, RewriteHeader, Scope, StallOrders
from monitor.demo.faults.fault import BROWSER_JOURNEYS, Fault, Side
from monitor.demo.hosts import Host
from monitor.domain.cause import Detail

_SHOP = Scope(host=Host.SHOP)
_API = Scope(host=Host.API)
_ASSETS = Scope(host=Host.SHOP, path="/assets/checkout.")
_MAINTENANCE = "<!doctype html><title>Back soon</title><h1>We are moving the shelves</h1><p>Back within the hour.</p>"
_BLOCKED = (
    "<!doctype html><title>Request blocked</title><h1>Request blocked</h1><p>Our firewall refused this visit.</p>"
)
_JSON = "application/json"
_SORT_FOR_LONG = """\
  const end = performance.now() + 4000;
  while (performance.now() < end) {
    products.sort((one, other) => one.name.localeCompare(other.name));
  }
  return products;"""

OWN = (
    Fault(
        name="web-refuses",
        side=Side.OWN,
        title="Web server down",
        explanation="Nothing listens on the shop's port any more, as if the process had been stopped.",
        notice="The browser says that the site refused to connect.",
        detail=Detail.OWN_CONNECT,
        effects=(Listen(hosts=(Host.SHOP,)),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-hangs",
        side=Side.OWN,
        title="Web server hangs",
        explanation="Connections are accepted and requests are read, but no answer comes.",
        notice="A white page and a spinner, for ever.",
        detail=Detail.OWN_HTTP_STATUS,
        effects=(Hang(scope=_SHOP),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-maintenance",
        side=Side.OWN,
        title="Maintenance page",
        explanation="Every page answers 503 with Retry-After.",
        notice="“We are moving the shelves.”",
        detail=Detail.OWN_HTTP_STATUS,
        effects=(Respond(scope=_SHOP, status=503, body=_MAINTENANCE, headers=(("Retry-After", "3600"),)),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-empty",
        side=Side.OWN,
        title="Empty pages",
        explanation="Every page answers 200 with no content.",
        notice="A white page.",
        detail=Detail.OWN_CONTENT,
        effects=(Respond(scope=_SHOP, status=200),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-redirect-loop",
        side=Side.OWN,
        title="Redirect loop",
        explanation="Every page redirects to the home page, the home page included.",
        notice="The browser says that the page redirected too many times.",
        detail=Detail.OWN_HTTP_PROTOCOL,
        effects=(Respond(scope=_SHOP, status=302, headers=(("Location", "/"),)),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-firewall",
        side=Side.OWN,
        title="Firewall blocks visitors",
        explanation="The shop's own web application firewall answers 403 with its block page.",
        notice="“Request blocked.”",
        detail=Detail.OWN_ACCESS,
        effects=(Respond(scope=_SHOP, status=403, body=_BLOCKED, headers=(("X-Blocked-By", "shop-firewall"),)),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-certificate-expired",
        side=Side.OWN,
        title="Certificate expired",
        explanation="The shop's certificate ended two days ago.",
        notice="A full-page warning instead of the shop.",
        detail=Detail.OWN_TLS,
        effects=(Present(hosts=(Host.SHOP,), kind=CertificateKind.EXPIRED),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-certificate-name",
        side=Side.OWN,
        title="Certificate of another name",
        explanation="The shop presents a certificate that was issued for another site.",
        notice="A full-page warning instead of the shop.",
        detail=Detail.OWN_TLS,
        effects=(Present(hosts=(Host.SHOP,), kind=CertificateKind.WRONG_NAME),),
        journeys=BROWSER_JOURNEYS,
    ),
    Fault(
        name="web-csp",
        side=Side.OWN,
        title="Security policy forbids payment",
        explanation="A deployment dropped the payment provider from the script sources of Content-Security-Policy.",
        notice="The card form never appears at checkout.",
        detail=Detail.OWN_POLICY,
        effects=(RewriteHeader(scope=_SHOP, name="content-security-policy", old="{payment} "),),
        journeys=("checkout",),
    ),
    Fault(
        name="web-chunk-missing",
        side=Side.OWN,
        title="Script file missing",
        explanation="The checkout page refers to a script that the last deployment deleted: 404.",
        notice="The checkout page is there, but no card form appears and the button stays gray.",
        detail=Detail.OWN_CONTENT,
        effects=(Respond(scope=_ASSETS, status=404, body="Not found", media_type="text/plain; charset=utf-8"),),
        journeys=("checkout",),
    ),
    Fault(
        name="web-script-throws",
        side=Side.OWN,
        title="Script throws on pay",
        explanation="The checkout script of the last deployment calls a function that does not exist.",
        notice="A click on the pay button does nothing at all.",
        detail=Detail.OWN_SCRIPT,
        effects=(Rewrite(scope=_ASSETS, old="readForm(form)", new="readForm.from(form)"),),
        journeys=("checkout",),
    ),
    Fault(
        name="web-busy",
        side=Side.OWN,
        title="Script computes for seconds",
        explanation="The last deployment sorts the shelf over and over before it shows it.",
        notice="The home page stays without products for four seconds, and is frozen.",
        detail=Detail.OWN_SLOW_FRONTEND,
        effects=(
            Rewrite(
                scope=Scope(host=Host.SHOP, path="/assets/shop."),
                old="  return products;",
                new=_SORT_FOR_LONG,
            ),
        ),
        journeys=("checkout", "search"),
    ),
    Fault(
        name="api-500",
        side=Side.OWN,
        title="Catalog API fails",
        explanation="The API answers 500 to every request for products.",
        notice="“Sorry, we could not fetch the shelf.”",
        detail=Detail.OWN_HTTP_STATUS,
        effects=(
            Respond(
                scope=Scope(host=Host.API, path="/products"),
                status=500,
                body='{"error": "internal error"}',
                media_type=_JSON,
            ),
        ),
        journeys=("checkout", "search", "api"),
    ),
    Fault(
        name="api-slow",
        side=Side.OWN,
        title="Catalog API slow",
        explanation="Each request for products takes 800 ms longer; Server-Timing says where.",
        notice="Products appear a little late; a program that reads the catalog is over its budget.",
        detail=Detail.OWN_SLOW_BACKEND,
        effects=(Delay(scope=Scope(host=Host.API, path="/products"), seconds=0.8),),
        journeys=("api",),
    ),
    Fault(
        name="api-cors",
        side=Side.OWN,
        title="API loses its CORS header",
        explanation="The API answers 200, but no longer allows the shop's pages to read the answer.",
        notice="“Sorry, we could not fetch the shelf.”",
        detail=Detail.OWN_POLICY,
        effects=(RewriteHeader(scope=_API, name="access-control-allow-origin"),),
        journeys=("checkout", "search"),
    ),
    Fault(
        name="api-malformed",
        side=Side.OWN,
        title="API sends broken JSON",
        explanation="The API answers 200 with a list that is not JSON.",
        notice="“Sorry, we could not fetch the shelf.”",
        detail=Detail.OWN_CONTENT,
        effects=(Rewrite(scope=Scope(host=Host.API, path="/products"), old='"products":[', new='"products":[,'),),
        journeys=("checkout", "search", "api"),
    ),
    Fault(
        name="api-rate-limit",
        side=Side.OWN,
        title="API limits us",
        explanation="The API answers 429 to everybody.",
        notice="“Sorry, we could not fetch the shelf.”",
        detail=Detail.OWN_ACCESS,
        effects=(
            Respond(
                scope=_API,
                status=429,
                body='{"error": "too many requests"}',
                media_type=_JSON,
                headers=(("Retry-After", "60"),),
            ),
        ),
        journeys=("checkout", "search", "api", "order"),
    ),
    Fault(
        name="order-500",
        side=Side.OWN,
        title="Orders fail",
        explanation="Placing an order answers 500; reading anything still works.",
        notice="“Your order could not be placed.”",
        detail=Detail.OWN_HTTP_STATUS,
        effects=(
            Respond(
                scope=Scope(host=Host.API, path="/orders", method="POST"),
                status=500,
                body='{"error": "internal error"}',
                media_type=_JSON,
            ),
        ),
        journeys=("checkout", "order"),
    ),
    Fault(
        name="order-stuck",
        side=Side.OWN,
        title="Orders never confirmed",
        explanation="The back end accepts orders, answers 202, and does nothing with them.",
        notice="“We are confirming your order …”, for ever.",
        detail=Detail.OWN_CONTENT,
        effects=(StallOrders(),),
        journeys=("checkout", "order"),
    ),
)
