"""What a vendor sent and our own page stumbled over: whose it is then, and where nobody may be named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.domain.diagnosis import Diagnosis
from monitor.domain.evidence import PageError, StepErrorKind
from monitor.domain.exchange import Initiator, Timings
from monitor.domain.experiment import ExperimentKind as Kind
from monitor.domain.failure import Failure
from monitor.domain.ownership import Ownership, Vendor
from monitor.domain.reference import DifferenceKind
from tests.diagnosis.incidents import (
    ADS,
    API,
    CDN,
    PAY,
    SHOP,
    Court,
    again,
    compared,
    controls,
    difference,
    failed,
    look,
    page,
    request,
)

MAIN = f"{SHOP}main.js"
MAPS = "https://tiles.maps.example/points"
IDENTITY = "https://id.login.example/authorize"
FRAME = "https://pay.payments.example/card"
CONTENT, STATUS = DifferenceKind.CONTENT, DifferenceKind.STATUS
ABSENT = StepErrorKind.EXPECTATION
LASTS = again(Kind.RERUN, well=False)
OWNERSHIP = Ownership(
    domains=("shop.example",),
    vendors=(
        Vendor(name="Example Pay", hosts=("pay.payments.example",), category="payment"),
        Vendor(name="Maps", hosts=("tiles.maps.example",), category="maps"),
        Vendor(name="Login", hosts=("id.login.example",), category="identity"),
        Vendor(name="Adverts", hosts=("*.adverts.example",), category="ad"),
        Vendor(name="Libraries", hosts=("cdn.libraries.example",), category="cdn"),
    ),
    default_team="team-shop",
)


@pytest.fixture
def shop(names) -> Court:
    return Court(names, OWNERSHIP)


def judged(court: Court, *exchanges, **values) -> Diagnosis:
    extra = values.pop("experiments", ())
    values = {"kind": ABSENT, "experiments": (*controls(), *extra, LASTS), **values}
    diagnosis = court.judge(failed(page(), request(MAIN, resource="script"), *exchanges, **values)).diagnosis
    assert diagnosis is not None
    return diagnosis


def threw(*frames: str, message: str = "Lib.setup is not a function") -> PageError:
    return PageError(message=message, frames=frames, step="pay")


LIB_CHANGED = difference(CONTENT, CDN, resource="script", before="900:a", after="905:b")
POINTS_CHANGED = difference(CONTENT, MAPS, resource="fetch", before="900:a", after="890:b")
ADS_CHANGED = difference(CONTENT, ADS, resource="script", before="900:a", after="905:b")
OWN_CHANGED = difference(CONTENT, MAIN, resource="script", before="900:a", after="905:b")
BASKET_CHANGED = difference(CONTENT, API, resource="fetch", before="90:a", after="91:b")


@pytest.mark.parametrize(
    ("differences", "detail", "culprit"),
    [
        ((LIB_CHANGED,), "tp.content", "Libraries"),
        ((POINTS_CHANGED,), "tp.content", "Maps"),
        ((ADS_CHANGED,), "tp.script", "Adverts"),
        ((LIB_CHANGED, POINTS_CHANGED), "und.insufficient", None),
        ((LIB_CHANGED, BASKET_CHANGED), "und.insufficient", None),
        ((LIB_CHANGED, OWN_CHANGED), "own.script", "team-shop"),
        ((), "own.script", "team-shop"),
    ],
)
def test_our_unchanged_code_that_throws_is_not_blamed_where_what_a_vendor_sends_changed(
    shop, differences, detail, culprit
):
    said = judged(
        shop,
        request(CDN, resource="script"),
        request(MAPS, resource="fetch"),
        page_errors=(threw(MAIN),),
        compared=compared(*differences),
    )
    assert (said.detail.value, said.culprit.name if said.culprit else None) == (detail, culprit)


def test_an_exception_of_a_promise_is_the_vendors_whose_data_alone_changed(shop):
    error = threw(message="Cannot read properties of null (reading 'map')")
    data = request(MAPS, resource="fetch")
    said = judged(shop, data, page_errors=(error,), compared=compared(POINTS_CHANGED))
    assert (said.detail.value, said.rule) == ("tp.content", "R09")
    assert "tiles.maps.example" in said.because


def test_a_vendor_whose_last_good_answer_did_not_help_is_not_named_for_our_exception(shop):
    cleared = again(Kind.REPLAY, "cdn.libraries.example", well=False)
    code = request(CDN, resource="script")
    errors = (threw(MAIN),)
    said = judged(shop, code, page_errors=errors, compared=compared(LIB_CHANGED), experiments=(cleared,))
    assert said.detail.value == "und.insufficient"


SHRUNK = difference(CONTENT, IDENTITY, resource="document", before="9000:a", after="300:b")
CARD_GONE = difference(CONTENT, FRAME, resource="document", before="9000:a", after="0:b")


def test_a_vendors_page_or_frame_that_shrank_to_a_fraction_is_the_vendors(shop):
    said = judged(shop, page(IDENTITY), compared=compared(SHRUNK))
    assert (said.detail.value, said.culprit.name) == ("tp.content", "Login")
    card = page(FRAME, initiator=Initiator(kind="script", url=PAY))
    said = judged(shop, card, compared=compared(CARD_GONE))
    assert (said.detail.value, said.culprit.name) == ("tp.content", "Example Pay")


@pytest.mark.parametrize("other", [ADS_CHANGED, BASKET_CHANGED, OWN_CHANGED])
def test_a_vendors_page_that_shrank_tells_nothing_where_something_else_changed_too(shop, other):
    said = judged(shop, page(IDENTITY), compared=compared(SHRUNK, other))
    assert said.detail.value != "tp.content"


def test_data_of_a_vendor_that_merely_differs_may_be_meant_and_is_told_of(shop):
    emptied = difference(CONTENT, MAPS, resource="fetch", before="89:a", after="15:b")
    blocked = again(Kind.BLOCK, "tiles.maps.example", well=False)
    data = request(MAPS, resource="fetch")
    # Without it the step fails as well: that acquits nobody whom the page needs.
    said = judged(shop, data, compared=compared(emptied), experiments=(blocked,))
    assert (said.detail.value, said.culprit.name) == ("tp.content", "Maps")
    said = judged(shop, data, compared=compared(POINTS_CHANGED))
    assert said.detail.value == "und.script_or_app_change"
    assert "only what tiles.maps.example sends differs" in said.because
    assert said.alternatives[0].detail.value == "tp.content"


def test_a_page_of_markup_in_the_place_of_a_vendors_data_is_the_vendors(shop):
    """Code that catches what it cannot read tells nobody."""
    before = {"resource": "fetch", "header": "content-type", "before": "application/json", "after": "text/html"}
    turned = difference(DifferenceKind.HEADER, MAPS, **before)
    said = judged(shop, request(MAPS, resource="fetch"), compared=compared(POINTS_CHANGED, turned))
    assert (said.detail.value, said.culprit.name) == ("tp.content", "Maps")
    said = judged(shop, request(MAPS, resource="fetch"), compared=compared(POINTS_CHANGED, turned, OWN_CHANGED))
    assert said.detail.value != "tp.content"


def test_an_advertisement_that_shrank_is_nobodys_failure(shop):
    banner = difference(CONTENT, ADS, resource="document", before="9000:a", after="0:b")
    said = judged(shop, page(ADS, initiator=Initiator(kind="script", url=ADS)), compared=compared(banner))
    assert said.culprit is None


def test_a_file_without_a_key_that_is_refused_to_everybody_is_refused_by_its_vendor(shop):
    turned = difference(STATUS, CDN, resource="script", before="200", after="403")
    refused = request(CDN, resource="script", status=403)
    client = look(Kind.CLIENT, CDN, url=CDN, status=403)
    missed = (threw(MAIN, message="Lib is not defined"),)
    values = {"compared": compared(turned), "page_errors": missed}
    said = judged(shop, refused, experiments=(client,), **values)
    assert (said.detail.value, said.culprit.name) == ("tp.access", "Libraries")
    # Nobody else was seen to be refused; or a key went along, which may be a wrong one.
    assert judged(shop, refused, **values).detail.value == "und.shared_responsibility"
    keyed = f"{CDN}?key=k1"
    turned = difference(STATUS, keyed, resource="script", before="200", after="403")
    refused = request(keyed, resource="script", status=403)
    client = look(Kind.CLIENT, keyed, url=keyed, status=403)
    values["compared"] = compared(turned)
    assert judged(shop, refused, experiments=(client,), **values).detail.value == "und.shared_responsibility"


def test_what_is_missing_on_a_vendors_page_is_told_of_that_page(shop):
    start = page(f"{SHOP}start", status=302)
    said = judged(shop, start, page(IDENTITY, redirected_from=start.id, timings=Timings(started=1.0)))
    assert said.detail.value == "und.script_or_app_change"
    assert "on id.login.example/authorize, a page of third party Login" in said.because
    assert [each.detail.value for each in said.alternatives] == ["tp.content", "und.shared_responsibility"]


@pytest.mark.parametrize(
    ("code", "detail", "culprit"),
    [
        ("temporarily_unavailable", "tp.http_status", "Login"),
        ("server_error", "tp.http_status", "Login"),
        ("unauthorized_client", "und.shared_responsibility", None),
        ("login_required", "und.script_or_app_change", None),
    ],
)
def test_a_provider_that_sends_customers_back_says_by_its_code_whose_failure_it_is(shop, code, detail, culprit):
    asked = page(IDENTITY, status=302)
    back = page(f"{SHOP}login?error={code}&state=1", redirected_from=asked.id, timings=Timings(started=1.0))
    said = judged(shop, asked, back)
    assert (said.detail.value, said.culprit.name if said.culprit else None) == (detail, culprit)


def test_an_own_answer_that_finds_fault_with_a_request_leaves_open_who_supplied_it(shop):
    charge = request(PAY, resource="fetch", method="POST", timings=Timings(started=0.5))
    order = request(API, resource="fetch", method="POST", status=422, timings=Timings(started=0.9))
    again_so = look(Kind.REPROBE, API, url=API, status=200)
    turned = difference(STATUS, API, resource="fetch", before="201", after="422")
    said = judged(shop, charge, order, compared=compared(turned), experiments=(again_so,))
    assert said.detail.value == "own.http_status"
    assert [each.because for each in said.alternatives] == ["if what Example Pay answered just before was wrong"]


def test_what_is_between_us_and_a_vendor_is_not_laid_at_the_vendors_door(shop):
    unpaid = request(MAPS, resource="fetch", status=402)
    turned = difference(STATUS, MAPS, resource="fetch", before="200", after="402")
    said = judged(
        shop, unpaid, compared=compared(turned), experiments=(look(Kind.REPROBE, MAPS, url=MAPS, status=402),)
    )
    assert (said.detail.value, said.rule) == ("und.shared_responsibility", "R12")
    said = judged(
        shop, page(IDENTITY, status=400), experiments=(look(Kind.REPROBE, IDENTITY, url=IDENTITY, status=400),)
    )
    assert said.detail.value == "und.shared_responsibility"
    assert "the address to return to" in said.because
    said = judged(
        shop, page(IDENTITY, status=500), experiments=(look(Kind.REPROBE, IDENTITY, url=IDENTITY, status=500),)
    )
    assert said.detail.value == "tp.http_status"


def test_data_that_breaks_off_now_and_came_whole_before_is_needed_whatever_its_status(shop):
    short = request(MAPS, resource="fetch", status=200, failure=Failure.HTTP_RESPONSE_TRUNCATED)
    said = judged(shop, short, compared=compared())
    assert (said.detail.value, said.culprit.name) == ("tp.http_protocol", "Maps")
    as_before = replace(compared(), failed_alike=(short.id,))
    assert judged(shop, short, compared=as_before).culprit is None
