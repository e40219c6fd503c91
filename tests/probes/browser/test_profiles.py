from __future__ import annotations

import datetime as dt
import time

import pytest

from monitor.domain.failure import Failure
from monitor.domain.profile import HostOverride, IpFamily, Network, Viewport
from monitor.domain.profile import Proxy as ForwardProxy
from monitor.probes.session import ProberError
from tests.probes.browser.site import reply

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

WHO = "[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone, innerWidth, navigator.userAgent]"


async def test_place_screen_and_name_are_the_profiles(site, walk):
    site.page("/", "<meta name=viewport content='width=device-width'><p>here")
    told = []

    async def act(browser):
        await browser.open("/")
        told.extend(await browser.page.evaluate(WHO))

    place = {"locale": "de-DE", "timezone": "Europe/Berlin", "viewport": Viewport(width=777, height=500)}
    assert (await walk(act, profile={**place, "user_agent": "Faultline"})).error is None
    assert told == ["de-DE", "Europe/Berlin", 777, "Faultline"]
    told.clear()
    assert (await walk(act, profile={"device": "iPhone 13"})).error is None
    assert told[2] == 390
    assert "iPhone" in told[3]


async def test_an_unknown_device_is_refused_in_one_sentence(walk):
    with pytest.raises(ProberError, match="no device 'Nokia 3310'"):
        await walk(None, profile={"device": "Nokia 3310"})


async def test_a_client_that_is_offline_reaches_nothing(site, walk):
    attempt = await walk(lambda browser: browser.open("/"), profile={"network": Network(name="off", offline=True)})
    assert attempt.seen.exchanges[0].failure is Failure.TCP_OFFLINE


async def test_a_slow_line_slows_every_exchange(site, walk):
    site.page("/", "<script src='/big.js'></script>")
    site.page("/big.js", b"/*" + b"x" * 50_000 + b"*/", kind="text/javascript")
    line = Network(name="slow", latency=dt.timedelta(milliseconds=300), download_bits_per_second=800_000)
    attempt = await walk(lambda browser: browser.open("/"), profile={"network": line})
    assert attempt.error is None
    assert attempt.exchange("/big.js").timings.total > 0.6


async def test_a_slow_processor_runs_scripts_slower(site, walk):
    site.page("/", "<p>here")
    spent = []

    def working(times):
        async def act(browser):
            await browser.open("/")
            # Chromium holds the thread up a thousand times a second: the work must be long against that.
            loop = "let x = 0; for (let i = 0; i < 1e8; i++) x += i"
            work = f"() => {{ const began = performance.now(); {loop}; return performance.now() - began }}"
            spent.append(min([await browser.page.evaluate(work) for _ in range(times)]))

        return act

    # On a busy machine it is the quick work that takes longer than it should, unless it is tried often.
    await walk(working(10))
    await walk(working(2), profile={"cpu_slowdown": 10.0})
    assert spent[1] > 2 * spent[0]


async def test_without_javascript_nothing_runs(site, walk):
    site.page("/", "<noscript>no scripts</noscript><script>document.title = 'ran'</script>")

    async def act(browser):
        await browser.open("/")
        assert await browser.page.title() == ""

    attempt = await walk(act, profile={"javascript": False})
    assert attempt.error is None
    assert attempt.seen.vitals is None


@pytest.mark.parametrize("kept", [True, False])
async def test_cookies_of_third_parties_are_kept_or_not_as_the_profile_says(site, walk, kept):
    third = site.url("/pixel", host="third.localhost", port="https")
    site.page("/", f"<img src='{third}?1'>")
    site.page("/pixel", "", kind="image/png", Set_Cookie="id=1; SameSite=None; Secure; Path=/")
    site.forget()

    async def act(browser):
        for _ in range(2):
            await browser.open(site.url("/", port="https"), wait_until="load")

    assert (await walk(act, profile={"third_party_storage": kept})).error is None
    assert ("cookie" in site.seen("/pixel?1")[-1].headers) is kept


async def test_a_proxy_is_used_and_its_death_is_told_apart(site, walk, unused_tcp_port):
    async def through(request, writer):
        await reply(writer, b"<p>through the proxy")

    site.route("http://anything.invalid/", through)
    proxy = ForwardProxy(url=site.url("").rstrip("/"))
    attempt = await walk(lambda browser: browser.open("http://anything.invalid/"), profile={"proxy": proxy})
    assert attempt.error is None
    dead = ForwardProxy(url=f"http://127.0.0.1:{unused_tcp_port}")
    attempt = await walk(lambda browser: browser.open("/"), profile={"proxy": dead})
    assert attempt.seen.exchanges[0].failure is Failure.PROXY_CONNECTION_FAILED


async def test_an_authority_that_is_not_given_is_not_trusted(site, walk):
    attempt = await walk(lambda browser: browser.open(site.url("/", port="https")), target={"extra_ca": None})
    assert attempt.seen.exchanges[0].failure is Failure.TLS_CERT_AUTHORITY_INVALID


IMPOSSIBLE = (
    {"resolver": "192.0.2.1"},
    {"ip_family": IpFamily.IPV6},
    {"engine": "firefox", "cpu_slowdown": 2.0},
    {"engine": "firefox", "network": Network(name="slow", latency=dt.timedelta(seconds=1))},
    {"engine": "firefox", "hosts": (HostOverride(host="a.test", address="192.0.2.1"),)},
    {"engine": "webkit"},
)


@pytest.mark.parametrize("profile", IMPOSSIBLE, ids=str)
async def test_what_an_engine_cannot_do_is_refused_before_anything_opens(probe, assign, profile):
    with pytest.raises(ProberError) as caught:
        await probe.open(assign(profile=profile), 1, started=time.monotonic())
    assert str(caught.value).count(". ") == 0
