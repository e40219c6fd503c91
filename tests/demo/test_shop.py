from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.demo import Host, Ports, PortTakenError, Shop, serve
from tests.demo.visiting import Visitor, arrival
from tests.servers import free_port

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 30", "code": "123"}


async def confirmed(visitor, number):
    for _ in range(100):
        order = (await visitor.get("api", f"/orders/{number}")).json()
        if order["status"] == "confirmed":
            return order
        await asyncio.sleep(0.02)
    raise AssertionError(order)


@pytest.mark.parametrize(
    ("host", "path", "words"),
    [
        ("shop", "/", "Tea, and little else."),
        ("shop", "/search?q=green", "Search results"),
        ("shop", "/products/uji-sencha", "€14.20"),
        ("shop", "/basket", "There is nothing in it yet."),
        ("shop", "/login", "Sign in with Example ID"),
        ("shop", "/healthz", "ok"),
        ("api", "/products", "Morning Assam"),
        ("api", "/products/silver-needle", "Fuding, China"),
        ("api", "/healthz", "ok"),
        ("payment", "/v1/pay.js", "ExamplePay"),
        ("tags", "/container.js?id=LK-1", "/collect.js"),
        ("stats", "/collect.js", "sendBeacon"),
        ("ads", "/ads.js", "Example Kettle"),
        ("ads", "/offers.js", "Ten percent off"),
        ("fonts", "/css?family=Example+Serif", "@font-face"),
        ("cdn", "/tiny-format/2.1.0/tiny-format.min.js", "TinyFormat"),
        ("chat", "/widget.js", "Open chat"),
        ("news", "/", "All is well"),
        ("weather", "/", "All is well"),
        ("museum", "/", "All is well"),
        ("control", "/", "Break the shop"),
    ],
)
async def test_each_page_answers(visitor, host, path, words):
    answer = await visitor.get(host, path)
    assert answer.status == 200
    assert words in answer.body


async def test_what_is_not_there_is_said_to_be_missing(visitor):
    assert (await visitor.get("shop", "/nowhere")).status == 404
    assert (await visitor.get("shop", "/products/coffee")).status == 404
    assert (await visitor.get("api", "/products/coffee")).status == 404
    assert (await visitor.get("api", "/orders/LK-NONE")).status == 404


async def test_scripts_carry_the_addresses_of_the_ports_in_use(shop, visitor):
    script = (await visitor.get("tags", "/container.js")).body
    assert f"{shop.url('stats')}/collect.js" in script
    assert "{{" not in script


async def test_search_finds_by_every_word(visitor):
    found = (await visitor.get("api", "/products?q=green%20japan")).json()
    assert [product["slug"] for product in found["products"]] == ["uji-sencha"]
    assert (await visitor.get("api", "/products?q=coffee")).json()["count"] == 0


async def test_a_guest_buys_over_plain_http(visitor):
    added = await visitor.submit("shop", "/basket", {"product": "uji-sencha"})
    assert (added.status, added.headers["location"]) == (303, "/basket")
    assert "€14.20" in (await visitor.get("shop", "/checkout")).body

    session = (await visitor.send("payment", "/v1/sessions", {"amount": 1420, "currency": "EUR"})).json()
    assert session["id"] in (await visitor.get("payment", f"/v1/frame?session={session['id']}")).body
    token = (await visitor.send("payment", "/v1/tokens", {"session": session["id"], **CARD})).json()["token"]
    placed = await visitor.send(
        "api",
        "/orders",
        {"email": "ada@example.com", "lines": [{"product": "uji-sencha", "quantity": 1}], "payment": {"token": token}},
    )
    assert placed.status == 202
    assert placed.json()["status"] == "accepted"

    order = await confirmed(visitor, placed.json()["id"])
    assert (order["total"], order["payment"]) == (1420, "card")
    assert order["id"] in (await visitor.get("shop", f"/orders/{order['id']}")).body
    assert "nothing in it" in (await visitor.get("shop", "/basket")).body


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"lines": [], "email": "a@b.c", "payment": {"method": "invoice"}}, 422),
        ({"lines": [{"product": "coffee"}], "email": "a@b.c", "payment": {"method": "invoice"}}, 422),
        (
            {"lines": [{"product": "uji-sencha", "quantity": 0}], "email": "a@b.c", "payment": {"method": "invoice"}},
            422,
        ),
        ({"lines": [{"product": "uji-sencha"}], "email": "nobody", "payment": {"method": "invoice"}}, 422),
        ({"lines": [{"product": "uji-sencha"}], "email": "a@b.c", "payment": {"token": "tok_made_up"}}, 402),
        (
            {
                "lines": [{"product": "uji-sencha"}],
                "email": "a@b.c",
                "payment": {"method": "invoice"},
                "callback_url": "http://192.0.2.1/",
            },
            422,
        ),
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(visitor, document, status):
    answer = await visitor.send("api", "/orders", document)
    assert answer.status == status
    assert answer.json()["error"]


async def test_a_body_that_is_not_json_is_refused_and_not_a_crash(visitor):
    answer = await visitor.submit("api", "/orders", {"email": "a@b.c"})
    assert (answer.status, answer.json()["error"]) == (400, "the body is not JSON")


async def test_a_token_pays_once_and_for_its_own_amount(visitor):
    async def token():
        session = (await visitor.send("payment", "/v1/sessions", {"amount": 1420})).json()
        return (await visitor.send("payment", "/v1/tokens", {"session": session["id"], **CARD})).json()["token"]

    async def order(product, token):
        document = {"email": "a@b.c", "lines": [{"product": product}], "payment": {"token": token}}
        return (await visitor.send("api", "/orders", document)).status

    used = await token()
    assert await order("uji-sencha", used) == 202
    assert await order("uji-sencha", used) == 402
    assert await order("silver-needle", await token()) == 402


async def test_a_card_that_is_declined_is_said_to_be(visitor):
    session = (await visitor.send("payment", "/v1/sessions", {"amount": 1420})).json()
    document = {"session": session["id"], **CARD, "number": "4000 0000 0000 0002"}
    answer = await visitor.send("payment", "/v1/tokens", document)
    assert (answer.status, answer.json()["error"]) == (402, "The card was declined.")


async def test_an_order_by_invoice_calls_back_when_it_is_confirmed(visitor):
    told = asyncio.Event()

    async def listen(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /told ")
        assert b'"confirmed"' in await reader.read(1000)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()
        told.set()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        document = {
            "email": "ada@example.com",
            "lines": [{"product": "cape-rooibos", "quantity": 2}],
            "payment": {"method": "invoice"},
            "callback_url": f"http://127.0.0.1:{port}/told",
        }
        assert (await visitor.send("api", "/orders", document)).status == 202
        await asyncio.wait_for(told.wait(), 60)


async def test_signing_in_goes_by_the_identity_provider_and_back(visitor):
    started = await visitor.get("shop", "/login/start")
    at_provider = urlsplit(started.headers["location"])
    assert at_provider.hostname == "login.exampleid.localhost"
    assert "Example ID" in (await visitor.get("identity", f"{at_provider.path}?{at_provider.query}")).body
    state = parse_qs(at_provider.query)["state"][0]

    wrong = await visitor.submit("identity", "/authorize", {"state": state, "email": "ada@example.com", "password": ""})
    assert wrong.status == 401
    fields = {"state": state, "email": "ada@example.com", "password": "tea-for-two"}
    back = urlsplit((await visitor.submit("identity", "/authorize", fields)).headers["location"])
    assert (await visitor.get("shop", f"{back.path}?{back.query}")).headers["location"] == "/account"
    assert "Hello, Ada Teatime" in (await visitor.get("shop", "/account")).body

    again = await visitor.get("shop", f"{back.path}?{back.query}")
    assert again.headers["location"] == "/login"
    await visitor.submit("shop", "/logout", {})
    assert (await visitor.get("shop", "/account")).headers["location"] == "/login"


async def test_the_identity_provider_sends_nobody_to_a_stranger(visitor):
    answer = await visitor.get("identity", "/authorize?redirect_uri=https://elsewhere.example/")
    assert answer.status == 400


async def test_the_api_lets_only_the_shops_pages_read_it(shop, visitor):
    allowed = await visitor.get("api", "/products", Origin=shop.url("shop"))
    assert allowed.headers["access-control-allow-origin"] == shop.url("shop")
    stranger = await visitor.get("api", "/products", Origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in stranger.headers


async def test_a_port_in_use_is_named_in_one_line(shop, tmp_path):
    taken = int(shop.url("api").rpartition(":")[2])
    ports = Ports(numbers={**dict.fromkeys(Host, 0), Host.API: taken})
    with pytest.raises(PortTakenError, match=rf"port {taken} of 127\.0\.0\.1 is taken; .*--ports-from"):
        async with Shop(tmp_path, ports=ports):
            pass


async def test_a_closed_shop_gives_its_ports_back(shop_directory):
    # Ports that the system chose it may give to somebody else as soon as they are given back.
    ports = Ports(numbers={host: free_port() for host in Host})
    async with Shop(shop_directory, ports=ports) as first:
        await first.break_("web-hangs")
        held = asyncio.create_task(Visitor(first).get("shop"))
        await arrival(first)
    await asyncio.gather(held, return_exceptions=True)
    async with Shop(shop_directory, ports=ports) as second:
        assert (await Visitor(second).get("shop")).status == 200


async def test_serving_tells_when_it_is_ready_and_ends_when_canceled(shop_directory):
    ready = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(shop_directory, Ports.free(), on_ready=ready.set_result))
    shop = await asyncio.wait_for(ready, 60)
    assert (await Visitor(shop).get("shop", "/healthz")).status == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


def test_ports_start_where_they_are_told_to():
    ports = Ports.starting_at(20000).numbers
    assert (ports[Host.SHOP], ports[Host.API], ports[Host.CONTROL]) == (20000, 20001, 20027)
    assert Ports.starting_at().numbers[Host.CONTROL] == 8470
    with pytest.raises(ValueError, match="choose one from 1 to 65508"):
        Ports.starting_at(65535)


def test_each_host_has_a_port_of_its_own():
    assert len(set(Ports.starting_at().numbers.values())) == len(Host)


async def test_only_the_control_page_listens_where_it_is_told_to(tmp_path):
    async with Shop(tmp_path, ports=Ports.free(), control_address="127.0.0.2") as shop:
        taken = {host: await _listens("127.0.0.2", shop.addresses.ports[host]) for host in (Host.CONTROL, Host.SHOP)}
    assert taken == {Host.CONTROL: True, Host.SHOP: False}


async def test_an_address_that_is_not_ours_is_named_with_the_reason(tmp_path):
    with pytest.raises(PortTakenError, match=r"of 192\.0\.2\.1 cannot be listened on: "):
        async with Shop(tmp_path, ports=Ports.free(), control_address="192.0.2.1"):
            pass


async def _listens(address, port):
    try:
        _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
