"""Faults on the customer's side, and changes that are nobody's fault."""

from __future__ import annotations

from monitor.demo.certificates import CertificateKind
from monitor.demo.effects import Listen, Present, Respond, Rewrite, Scope
from monitor.demo.faults.fault import ALL_JOURNEYS, Fault, Side
from monitor.demo.hosts import PUBLIC, Host
from monitor.domain.cause import Detail

_PORTAL = "<!doctype html><title>Welcome aboard</title><h1>Sign in to use the train's network</h1>"
_DENIED = "<!doctype html><title>Sign in</title><h1>Sign in</h1><p role=alert>Email or password is wrong.</p>"

CUSTOMER = (
    Fault(
        name="line-cut",
        side=Side.CUSTOMER,
        title="Customer's line is cut",
        explanation="No site can be reached any more: not the shop, not its vendors, not anybody else.",
        notice="No site opens.",
        detail=Detail.CLIENT_NETWORK,
        effects=(Listen(hosts=PUBLIC),),
        journeys=ALL_JOURNEYS,
    ),
    Fault(
        name="captive-portal",
        side=Side.CUSTOMER,
        title="Network wants a sign-in",
        explanation="A gateway answers in place of every site: 511 Network Authentication Required.",
        notice="Every site is the sign-in page of the train's network.",
        detail=Detail.CLIENT_NETWORK,
        effects=tuple(Respond(scope=Scope(host=host), status=511, body=_PORTAL) for host in PUBLIC),
        journeys=ALL_JOURNEYS,
    ),
    Fault(
        name="tls-interception",
        side=Side.CUSTOMER,
        title="A gateway opens the encryption",
        explanation="Every site presents a certificate that an unknown office gateway issued.",
        notice="A full-page warning at every site.",
        detail=Detail.CLIENT_TLS_INTERCEPTION,
        effects=(Present(hosts=PUBLIC, kind=CertificateKind.FOREIGN_ISSUER),),
        journeys=ALL_JOURNEYS,
    ),
    Fault(
        name="clock-behind",
        side=Side.CUSTOMER,
        title="Clock three years behind",
        explanation="To a clock that is three years behind, no certificate of any site is valid yet.",
        notice="A full-page warning at every site.",
        detail=Detail.CLIENT_CLOCK,
        effects=(Present(hosts=PUBLIC, kind=CertificateKind.NOT_YET_VALID),),
        journeys=ALL_JOURNEYS,
    ),
)

CHANGE = (
    Fault(
        name="button-renamed",
        side=Side.CHANGE,
        title="Pay button renamed",
        explanation="A redesign calls the pay button “Complete purchase”. The journey no longer fits.",
        notice="Nothing is wrong.",
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        effects=(Rewrite(scope=Scope(host=Host.SHOP, path="/checkout"), old=">Pay ", new=">Complete purchase "),),
        journeys=("checkout",),
    ),
    Fault(
        name="two-buttons",
        side=Side.CHANGE,
        title="A trial shows two pay buttons",
        explanation="A variant of the checkout has a second pay button above the form. Either one works.",
        notice="Nothing is wrong.",
        detail=Detail.UND_SCRIPT_OR_APP_CHANGE,
        effects=(
            Rewrite(
                scope=Scope(host=Host.SHOP, path="/checkout"),
                old="<!-- express -->",
                new='<button class="button wide" type="submit">Pay now</button>',
            ),
        ),
        journeys=("checkout",),
    ),
    Fault(
        name="password-changed",
        side=Side.CHANGE,
        title="Test account's password expired",
        explanation="The identity provider no longer accepts the password that the monitor was given.",
        notice="Nothing is wrong for anybody else.",
        detail=Detail.UND_MONITOR_CONFIG,
        effects=(
            Respond(
                scope=Scope(host=Host.IDENTITY, path="/authorize", method="POST"),
                status=401,
                body=_DENIED,
            ),
        ),
        journeys=("login",),
    ),
)
