"""The journeys of the lab, as the monitor's user would have written them for the drawn shop."""

from __future__ import annotations

from tests.lab.world.world import World

_HEAD = '''"""{title}"""

from __future__ import annotations

from monitor.journeys import Browser, Http, Journey, Secret, expect_response, step

PATIENCE = 4.0


def prepare(browser: Browser) -> None:
    """Wait no longer than a customer would."""
    browser.page.set_default_timeout(PATIENCE * 1000)
    browser.page.set_default_navigation_timeout(6000)
'''

_BLOCKER = '''

LIST = Path(__file__).parents[1] / "filters.txt"


async def filtered(browser: Browser) -> None:
    """Block what the client's list names, as a blocker in the browser does."""
    for host in LIST.read_text().split() if LIST.exists() else ():
        await browser.page.route(f"https://{host}*/**", lambda route: route.abort("blockedbyclient"))
'''

_BUY = '''

@step("Open the shop"{open})
async def open_shop(browser: Browser) -> None:
    """What is sold is listed."""
    prepare(browser)
    await browser.open("/")
    await browser.expect_visible(browser.page.get_by_role("link", name={product!r}), within=PATIENCE)


@step("Choose"{choose})
async def choose(browser: Browser) -> None:
    """Its page can be opened."""
    await browser.page.get_by_role("link", name={product!r}).click()
    await browser.expect_visible(browser.page.get_by_role("heading", name={product!r}), within=PATIENCE)


@step("Add it"{add})
async def add(browser: Browser) -> None:
    """The basket holds it."""
    await browser.page.get_by_role("button", name={add_label!r}).click()
    await browser.expect_path({cart!r}, within=PATIENCE)
    await browser.expect_visible(browser.page.get_by_role("link", name={checkout_label!r}), within=PATIENCE)


@step("Go to checkout"{checkout})
async def checkout(browser: Browser) -> None:
    """Who gets it, and where."""
    await browser.page.get_by_role("link", name={checkout_label!r}).click()
    await browser.page.get_by_label({name_label!r}).fill("Ada Monitor")
    await browser.page.get_by_label({address_label!r}).fill("1 Test Lane")
{needs}

@step("Pay"{pay})
async def pay(browser: Browser) -> None:
    """The card is charged."""
{pay_body}
    await browser.page.wait_for_url("**{order}**", timeout=PATIENCE * 1000, wait_until="commit")


@step("See the order"{confirm})
async def confirm(browser: Browser) -> None:
    """The order is confirmed."""
    await browser.expect_visible(browser.page.get_by_role("heading", name={thanks!r}), within=PATIENCE)


journey = Journey(name="buy", title="Buy", {budget}steps=(open_shop, choose, add, checkout, pay, confirm))
'''

_EMBEDDED = """    form = browser.page.frame_locator("#card iframe")
    await browser.expect_visible(form.get_by_label({card!r}), within=PATIENCE)
    await form.get_by_label({card!r}).fill("4242 4242 4242 4242")
    await browser.page.get_by_role("button", name={label!r}).click()"""

_REDIRECT = """    await browser.page.get_by_role("link", name={label!r}).click()
    await browser.page.get_by_label({card!r}).fill("4242 4242 4242 4242")
    await browser.page.get_by_role("button", name={label!r}).click()"""

_LOGIN = '''

@step("Open the sign-in page"{open})
async def open_page(browser: Browser) -> None:
    """It can be opened."""
    prepare(browser)
    await browser.open({signin!r})


@step("Go to the provider"{provider})
async def provider(browser: Browser) -> None:
    """Somebody is asked who they are."""
{go}
    await browser.expect_visible(browser.page.get_by_label("Password"), within=PATIENCE)


@step("Sign in"{sign_in})
async def sign_in(browser: Browser, *, email: str, password: Secret) -> None:
    """The way leads back."""
    await browser.page.get_by_label("Email").fill(email)
    await browser.fill_secret(browser.page.get_by_label("Password"), password)
    await browser.page.get_by_role("button", name="Sign in").click()
    await browser.expect_path({account!r}, within=PATIENCE)


@step("See the account"{account_step})
async def account(browser: Browser, *, email: str) -> None:
    """It is the right one."""
    await browser.expect_visible(browser.page.get_by_role("heading", name={signed_in!r}), within=PATIENCE)


journey = Journey(
    name="login",
    title="Sign in",
    {budget}parameters=("email", "password"),
    steps=(open_page, provider, sign_in, account),
)
'''

_CONTENT = '''

@step("Open the page"{open})
async def open_page(browser: Browser) -> None:
    """It comes."""
    prepare(browser)
    await browser.open({article!r})


@step("Read"{read})
async def read(browser: Browser) -> None:
    """Text and pictures are there."""
    await browser.expect_visible(browser.page.get_by_role("heading", name={product!r}), within=PATIENCE)
    await browser.page.wait_for_function(
        "() => [...document.querySelectorAll('#pictures img')].every((one) => one.complete && one.naturalWidth)",
        timeout=PATIENCE * 1000,
    )


journey = Journey(name="content", title="Read", {budget}steps=(open_page, read))
'''

_SUPPORT = '''

@step("Open the help desk"{open})
async def open_page(browser: Browser) -> None:
    """It comes."""
    prepare(browser)
    await browser.open("/")


@step("Ask"{ask})
async def ask(browser: Browser) -> None:
    """The question is received."""
    await browser.page.get_by_label("Email").fill("ada@mail.example")
    await browser.page.get_by_role("button", name={ask_label!r}).click()
    await browser.expect_visible(browser.page.get_by_role("heading", name={received!r}), within=PATIENCE)


journey = Journey(name="support", title="Ask for help", {budget}steps=(open_page, ask))
'''

_API = '''

@step("Ask for prices"{prices_step})
async def prices(http: Http) -> None:
    """They are told."""
    answer = await http.get({prices!r}, timeout=dt.timedelta(seconds=PATIENCE))
    expect_response(answer).has_status(200).has_json("currency", "EUR")


@step("Order"{order_step})
async def order(http: Http) -> None:
    """An order gets a number."""
    answer = await http.post({orders!r}, json={{"items": [{product!r}]}}, timeout=dt.timedelta(seconds=PATIENCE))
    expect_response(answer).has_status(201)


journey = Journey(name="api", title="Buy by API", {budget}steps=(prices, order))
'''

_POINT = """    await browser.page.get_by_role("radio").first.check()
"""
_HUMAN = """    await browser.page.get_by_label({human!r}).check()
"""
_HELD = """    await browser.expect_visible(browser.page.get_by_text({reserved!r}), within=PATIENCE)
"""


def journey_text(world: World) -> str:
    """Return the module of the scenario's journey."""
    write = {"buy": _buy, "login": _login, "content": _content, "support": _support, "api": _api}[
        world.manifest.journey
    ]
    head = _HEAD
    if world.manifest.journey == "api":
        head = head.partition("\n\ndef prepare")[0] + "\n"
        head = head.replace("Browser, Http, Journey, Secret, expect_response", "Http, Journey, expect_response")
        head = head.replace("annotations\n", "annotations\n\nimport datetime as dt\n", 1)
    text = head.format(title=world.names.brand) + write(world)
    if not any(fault.parameters.get("kind") == "blocker" for fault in world.manifest.faults):
        return text
    text = text.replace("    prepare(browser)\n", "    prepare(browser)\n    await filtered(browser)\n")
    text = text.replace("\nfrom monitor", "\nfrom pathlib import Path\n\nfrom monitor", 1)
    return text.replace("\n\n@step", f"{_BLOCKER}\n\n@step", 1)


def _options(world: World, symbol: str) -> str:
    budget = world.manifest.monitor.budgets.get(symbol)
    given = f', budget="{budget}"' if budget else ""
    return given + (", effects=True" if symbol in world.manifest.world.effects else "")


def _buy(world: World) -> str:
    names, changed = world.names, world.manifest.world
    words = names.words
    needs = (_POINT if changed.maps else "") + (_HELD if changed.live else "") + (_HUMAN if changed.captcha else "")
    body = _REDIRECT if changed.pay == "redirect" else _EMBEDDED
    return _BUY.format(
        **{symbol: _options(world, symbol) for symbol in ("open", "choose", "add", "checkout", "pay", "confirm")},
        product=names.product,
        add_label=words["add"],
        checkout_label=words["checkout"],
        name_label=words["name"],
        address_label=words["address"],
        cart=names.part("own", "cart"),
        order=names.part("own", "order"),
        thanks=words["thanks"],
        needs=needs.format(human=words["human"], reserved=words["reserved"]),
        pay_body=body.format(card=words["card"], label=words["pay"]),
        budget="",
    )


def _login(world: World) -> str:
    names = world.names
    link = f"{names.words['sign_in']} {names.titles['idp']}"
    go = (
        ""
        if world.manifest.world.login == "own"
        else f'    await browser.page.get_by_role("link", name={link!r}).click()'
    )
    return _LOGIN.format(
        open=_options(world, "open"),
        provider=_options(world, "provider"),
        sign_in=_options(world, "sign-in"),
        account_step=_options(world, "account"),
        signin=names.part("own", "signin"),
        go=go,
        account=names.part("own", "account"),
        signed_in=names.words["signed_in"],
        budget="",
    )


def _content(world: World) -> str:
    names = world.names
    return _CONTENT.format(
        open=_options(world, "open"),
        read=_options(world, "read"),
        article=names.part("own", "article") + names.slug,
        product=names.product,
        budget="",
    )


def _support(world: World) -> str:
    words = world.names.words
    return _SUPPORT.format(
        open=_options(world, "open"),
        ask=_options(world, "ask"),
        ask_label=words["ask"],
        received=words["received"],
        budget="",
    )


def _api(world: World) -> str:
    names = world.names
    return _API.format(
        prices_step=_options(world, "prices"),
        order_step=_options(world, "order"),
        prices=names.part("api", "prices"),
        orders=names.part("api", "orders"),
        product=names.product,
        budget="",
    )
