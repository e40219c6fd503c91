from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from monitor.demo import FAULTS, Shop
from monitor.demo.pages import Pages
from monitor.domain.cause import Cause
from tests.demo.visiting import Answer, Visitor, arrival

SHELF = "/products?q="
CHECKOUT = "asset checkout.js"


@dataclass(frozen=True)
class Look:
    """What to ask for, and what shows that the fault is made."""

    symptom: Callable[[object], bool]
    host: str = "shop"
    path: str = "/"
    ask: Callable[[Visitor], Awaitable[object]] | None = None
    patience: float = 10
    """Seconds to wait for an answer of the broken shop; the healthy one has all the time it needs."""


HANGING = 0.4


def status(code: int) -> Callable[[object], bool]:
    return lambda seen: isinstance(seen, Answer) and seen.status == code


def failure(kind: type[Exception], words: str = "") -> Callable[[object], bool]:
    return lambda seen: isinstance(seen, kind) and words in str(seen)


def text(words: str) -> Callable[[object], bool]:
    return lambda seen: isinstance(seen, Answer) and words in seen.body


def empty(seen: object) -> bool:
    return isinstance(seen, Answer) and seen.status == 200 and not seen.body


def without_cors(seen: object) -> bool:
    return isinstance(seen, Answer) and "access-control-allow-origin" not in seen.headers


def without_payment_scripts(seen: object) -> bool:
    policy = seen.headers["content-security-policy"]
    return "pay.examplepay" not in re.search("script-src ([^;]*)", policy)[1]


def slow_by_its_own_account(seen: object) -> bool:
    return float(seen.headers["server-timing"].partition("dur=")[2]) >= 790


async def place_order(visitor: Visitor) -> Answer:
    document = {
        "email": "ada@example.com",
        "lines": [{"product": "uji-sencha", "quantity": 1}],
        "payment": {"method": "invoice"},
    }
    return await visitor.send("api", "/orders", document)


async def follow_order(visitor: Visitor) -> Answer:
    number = (await place_order(visitor)).json()["id"]
    for _ in range(20):
        answer = await visitor.get("api", f"/orders/{number}")
        if '"confirmed"' in answer.body:
            return answer
        await asyncio.sleep(0.02)
    return answer


async def open_session(visitor: Visitor) -> Answer:
    return await visitor.send("payment", "/v1/sessions", {"amount": 100}, Origin=visitor.shop.url("shop"))


async def charge(visitor: Visitor) -> Answer:
    return await visitor.send("payment", "/v1/tokens", {})


async def sign_in(visitor: Visitor) -> Answer:
    fields = {"email": "ada@example.com", "password": "tea-for-two"}
    return await visitor.submit("identity", "/authorize", fields)


async def read_from_the_shop(visitor: Visitor) -> Answer:
    return await visitor.get("api", SHELF, Origin=visitor.shop.url("shop"))


async def fill_basket_and_check_out(visitor: Visitor) -> Answer:
    await visitor.submit("shop", "/basket", {"product": "uji-sencha"})
    return await visitor.get("shop", "/checkout")


LOOKS = {
    "web-refuses": Look(failure(ConnectionRefusedError)),
    "web-hangs": Look(failure(TimeoutError), patience=HANGING),
    "web-maintenance": Look(status(503)),
    "web-empty": Look(empty),
    "web-redirect-loop": Look(lambda seen: seen.status == 302 and seen.headers["location"] == "/"),
    "web-firewall": Look(status(403)),
    "web-certificate-expired": Look(failure(ssl.SSLCertVerificationError, "certificate has expired")),
    "web-certificate-name": Look(failure(ssl.SSLCertVerificationError, "Hostname mismatch")),
    "web-csp": Look(without_payment_scripts),
    "web-chunk-missing": Look(status(404), path=CHECKOUT),
    "web-script-throws": Look(text("readForm.from(form)"), path=CHECKOUT),
    "web-busy": Look(text("while (performance.now() < end)"), path="asset shop.js"),
    "api-500": Look(status(500), "api", SHELF),
    "api-slow": Look(slow_by_its_own_account, "api", SHELF),
    "api-cors": Look(without_cors, ask=read_from_the_shop),
    "api-malformed": Look(text('"products":[,'), "api", SHELF),
    "api-rate-limit": Look(status(429), "api", SHELF),
    "order-500": Look(status(500), ask=place_order),
    "order-stuck": Look(text('"accepted"'), ask=follow_order),
    "payment-refuses": Look(failure(ConnectionRefusedError), "payment", "/v1/pay.js"),
    "payment-503": Look(status(503), "payment", "/v1/pay.js"),
    "payment-slow": Look(failure(TimeoutError), ask=charge, patience=HANGING),
    "payment-cors": Look(without_cors, ask=open_session),
    "payment-certificate-expired": Look(failure(ssl.SSLCertVerificationError, "expired"), "payment", "/v1/pay.js"),
    "payment-throttles": Look(status(429), ask=open_session),
    "cdn-hangs": Look(failure(TimeoutError), host="cdn", patience=HANGING),
    "cdn-empty": Look(empty, "cdn", "/tiny-format/2.1.0/tiny-format.min.js"),
    "cdn-resets": Look(failure(ConnectionResetError), "cdn"),
    "identity-503": Look(status(503), "identity", "/authorize"),
    "consent-overlay": Look(text('place: "layer"'), "tags", "/container.js"),
    "tag-removes-form": Look(text("const extra = [offers]"), "tags", "/container.js"),
    "tag-busy": Look(text("fingerprint(4000)"), "stats", "/collect.js"),
    "fonts-slow": Look(failure(TimeoutError), host="fonts", path="/css", patience=HANGING),
    "analytics-refuses": Look(failure(ConnectionRefusedError), "stats"),
    "ads-hang": Look(failure(TimeoutError), host="ads", path="/ads.js", patience=HANGING),
    "line-cut": Look(failure(ConnectionRefusedError), "news"),
    "captive-portal": Look(status(511), "weather"),
    "tls-interception": Look(failure(ssl.SSLCertVerificationError, "local issuer"), "museum"),
    "clock-behind": Look(failure(ssl.SSLCertVerificationError, "not yet valid"), "news"),
    "button-renamed": Look(text(">Complete purchase "), ask=fill_basket_and_check_out),
    "two-buttons": Look(text(">Pay now<"), ask=fill_basket_and_check_out),
    "password-changed": Look(status(401), ask=sign_in),
}


async def see(shop: Shop, look: Look, patience: float = 10) -> object:
    visitor = Visitor(shop, timeout=patience)
    path = look.path
    if path.startswith("asset "):
        path = Pages(shop.addresses).asset_path(path.removeprefix("asset "))
    try:
        return await (look.ask(visitor) if look.ask else visitor.get(look.host, path))
    except OSError as error:
        return error


def test_each_fault_is_looked_at():
    assert list(LOOKS) == [fault.name for fault in FAULTS]


@pytest.mark.parametrize("name", LOOKS)
async def test_a_fault_breaks_what_it_says_and_mending_mends_it(shop, name):
    look = LOOKS[name]
    assert not look.symptom(await see(shop, look))
    await shop.break_(name)
    seen = await see(shop, look, look.patience)
    assert look.symptom(seen)
    assert name not in str(seen), "what a customer receives must not name the fault"
    await shop.mend(name)
    assert not look.symptom(await see(shop, look))


def test_a_fault_is_harmless_exactly_when_no_journey_is_hurt():
    assert [fault.name for fault in FAULTS if fault.harmless] == ["analytics-refuses", "ads-hang"]
    assert all(bool(fault.journeys) is not fault.harmless for fault in FAULTS)


def test_a_fault_stands_on_the_side_that_its_cause_names():
    sides = {
        "own": Cause.OWN_INFRASTRUCTURE,
        "third-party": Cause.THIRD_PARTY,
        "customer": Cause.CLIENT_ENVIRONMENT,
        "change": Cause.UNDETERMINED,
    }
    for fault in FAULTS:
        assert fault.detail is None or fault.detail.cause is sides[fault.side]


async def test_an_unknown_fault_is_named_with_those_that_exist(shop):
    with pytest.raises(KeyError, match="there is no fault 'web-melts'; the faults are web-refuses, "):
        await shop.break_("web-melts")


async def test_faults_are_made_and_mended_one_by_one(shop, visitor):
    await shop.break_("web-refuses")
    await shop.break_("payment-503")
    await shop.mend("web-refuses")
    assert (await visitor.get("shop")).status == 200
    assert (await visitor.get("payment", "/v1/pay.js")).status == 503
    assert [fault.name for fault in shop.broken] == ["payment-503"]
    await shop.mend()
    assert (await visitor.get("payment", "/v1/pay.js")).status == 200


async def test_breaking_twice_is_mended_once(shop, visitor):
    await shop.break_("web-refuses")
    await shop.break_("web-refuses")
    await shop.mend("web-refuses")
    assert (await visitor.get("shop")).status == 200


async def test_a_request_that_hangs_is_answered_when_the_fault_is_mended(shop, visitor):
    await shop.break_("web-hangs")
    held = asyncio.create_task(visitor.get("shop"))
    await arrival(shop)
    assert not held.done()
    await shop.mend()
    assert "Tea, and little else." in (await held).body


async def test_an_order_that_was_stuck_is_confirmed_after_mending(shop, visitor):
    await shop.break_("order-stuck")
    number = (await place_order(visitor)).json()["id"]
    await shop.mend()
    for _ in range(100):
        if (await visitor.get("api", f"/orders/{number}")).json()["status"] == "confirmed":
            return
        await asyncio.sleep(0.02)
    pytest.fail("the order was never confirmed")
