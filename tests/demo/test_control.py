from __future__ import annotations

import pytest

from monitor.demo import FAULTS, Ports, Shop
from tests.demo.visiting import Visitor


async def test_the_list_names_every_fault_and_what_is_broken(shop, visitor):
    await shop.break_("payment-refuses")
    listed = (await visitor.get("control", "/faults")).json()["faults"]
    assert [fault["name"] for fault in listed] == [fault.name for fault in FAULTS]
    assert [fault["name"] for fault in listed if fault["broken"]] == ["payment-refuses"]
    (payment,) = (fault for fault in listed if fault["name"] == "payment-refuses")
    assert (payment["side"], payment["detail"], payment["journeys"]) == ("third-party", "tp.connect", ["checkout"])


async def test_a_program_breaks_and_mends(shop, visitor):
    answer = await visitor.submit("control", "/faults/api-500/break", {})
    assert answer.json() == {"broken": ["api-500"]}
    assert (await visitor.get("api", "/products")).status == 500
    assert (await visitor.submit("control", "/faults/api-500/mend", {})).json() == {"broken": []}
    assert (await visitor.get("api", "/products")).status == 200


async def test_all_is_mended_at_once(shop, visitor):
    await shop.break_("api-500")
    await shop.break_("web-refuses")
    assert (await visitor.submit("control", "/mend", {})).json() == {"broken": []}
    assert (await visitor.get("shop")).status == 200


async def test_a_person_is_led_back_to_the_page(shop, visitor):
    answer = await visitor.submit("control", "/faults/api-500/break", {}, Accept="text/html,*/*;q=0.8")
    assert (answer.status, answer.headers["location"]) == (303, "/#api-500")
    page = (await visitor.get("control")).body
    assert "Broken now" in page
    assert "Mend: Catalog API fails" in page


async def test_the_page_shows_each_fault_and_where_to_look(shop, visitor):
    page = (await visitor.get("control")).body
    assert "All is well" in page
    assert "http://127.0.0.1:9488/" in page
    assert shop.url("payment") in page
    for fault in FAULTS:
        assert f'action="/faults/{fault.name}/break"' in page


async def test_the_page_leads_to_the_monitor_that_was_named(tmp_path):
    async with Shop(tmp_path, ports=Ports.free(), monitor_url="https://watch.example/faultline") as shop:
        page = (await Visitor(shop).get("control")).body
    assert 'href="https://watch.example/faultline/"' in page


async def test_an_unknown_fault_is_not_found(visitor):
    answer = await visitor.submit("control", "/faults/web-melts/break", {})
    assert answer.status == 404
    assert "web-melts" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_sites_page_may_not_break_the_shop(shop, visitor, headers):
    assert (await visitor.submit("control", "/faults/api-500/break", {}, **headers)).status == 403
    assert shop.broken == ()


async def test_the_pages_own_forms_may(shop, visitor):
    answer = await visitor.submit("control", "/faults/api-500/break", {}, Origin=shop.url("control"))
    assert answer.status == 200


async def test_a_name_that_was_bent_to_this_machine_is_turned_away(visitor):
    assert (await visitor.get("control", "/faults", Host="elsewhere.example:8470")).status == 421


async def test_reading_changes_nothing(shop, visitor):
    assert (await visitor.get("control", "/faults/api-500/break")).status == 405
    assert shop.broken == ()
