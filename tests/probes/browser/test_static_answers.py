from __future__ import annotations

import base64

import pytest

from monitor.domain.secret import Secret
from monitor.probes.archive import read_archive
from tests.probes.browser.site import reply

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

TOKEN = Secret("token", "t0ken-of-ann")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PAGE = """<!doctype html><link rel=stylesheet href='/a.css'><img src='/i.png'><img src='/broken.png'>
<script src='/a.js'></script><script src='THIRD' crossorigin></script>
<script>
  fetch('/api'); fetch('/api/mine', {headers: {Authorization: 'Basic eDp5'}}); fetch('/api/session');
  fetch('/api/private'); fetch('/api/token'); fetch('/api/sent', {method: 'POST', body: '1'});
  fetch('/api/changing').then(() => fetch('/api/changing')).then(() => document.title = 'done');
</script>"""


@pytest.fixture
def shop(site):
    third = site.url("/lib.js?v=1", host="third.localhost")
    site.page("/", PAGE.replace("THIRD", third))
    site.page("/a.css", "p::after { content: 'é' }".encode("latin-1"), kind="text/css; charset=iso-8859-1")
    site.page("/i.png", PIXEL, kind="image/png")
    site.page("/broken.png", b"\x89PNG", kind="image/png")
    site.page("/a.js", "document.cookie = 'count=1'", kind="text/javascript", ETag='"1"', Server="shop")
    site.page("/lib.js", "lib = 'ü'", kind="text/javascript", Access_Control_Allow_Origin="*")
    site.page("/api", '{"price": 1}', kind="application/json")
    site.page("/api/mine", '{"name": "ann"}', kind="application/json")
    site.page("/api/session", "{}", kind="application/json", Set_Cookie="id=1; Path=/; HttpOnly")
    site.page("/api/private", "{}", kind="application/json", Cache_Control="max-age=9, private")
    site.page("/api/token", '{"echo": "t0ken-of-ann"}', kind="application/json")
    site.page("/api/sent", "{}", kind="application/json")
    counted = iter(range(1000))

    async def changing(_request, writer):
        await reply(writer, f'{{"n": {next(counted)}}}'.encode(), kind="application/json")

    site.route("/api/changing", changing)
    return site


@pytest.fixture
def visit(walk):
    async def act(browser):
        await browser.open("/", wait_until="load")
        await browser.page.wait_for_function("document.title === 'done'")
        await walk.quiet()

    return act


def paths(archive, site):
    return {answer.url.removeprefix(site.url("").rstrip("/")) for answer in archive.answers}


async def test_a_good_run_leaves_its_static_answers_and_nothing_private(shop, walk, visit, tmp_path):
    attempt = await walk(visit, archive_to=str(tmp_path / "kept"), check={"values": (("token", TOKEN),)})
    assert attempt.error is None
    archive = read_archive(tmp_path / "kept")
    third = shop.url("/lib.js?v=1", host="third.localhost")
    assert paths(archive, shop) == {"/", "/a.css", "/i.png", "/a.js", "/api", third}
    lib = archive.find("GET", third)
    assert lib.body == "lib = 'ü'".encode()
    assert dict(lib.headers) == {"access-control-allow-origin": "*", "content-type": "text/javascript"}
    assert archive.find("GET", shop.url("/a.css")).body == "p::after { content: 'é' }".encode("latin-1")
    assert archive.find("GET", shop.url("/i.png")).body == PIXEL
    assert dict(archive.find("GET", shop.url("/a.js")).headers)["etag"] == '"1"'
    for file in (tmp_path / "kept").rglob("*"):
        if file.is_file():
            assert b"t0ken" not in file.read_bytes()
            assert b"ookie:" not in file.read_bytes()


async def test_what_is_asked_for_with_a_session_is_not_kept_unless_it_is_the_same_for_all(shop, walk, visit, tmp_path):
    async def act(browser):
        # Of a page that is left before it has loaded, the end may never be told.
        await browser.open("/api/session", wait_until="load")
        await walk.quiet()
        await visit(browser)

    await walk(act, archive_to=str(tmp_path / "kept"))
    kept = paths(read_archive(tmp_path / "kept"), shop)
    assert not kept & {"/", "/api", "/api/session"}
    assert {"/a.js", "/a.css"} <= kept


async def test_a_page_with_a_nonce_is_not_kept(site, walk, tmp_path):
    site.page("/once", "<p>once", Content_Security_Policy="script-src 'nonce-abc'")
    await walk(lambda browser: browser.open("/once"), archive_to=str(tmp_path / "kept"))
    assert read_archive(tmp_path / "kept").answers == ()


async def test_a_run_that_fails_leaves_no_archive(shop, walk, visit, tmp_path):
    async def act(browser):
        await visit(browser)
        await browser.expect_text("never", within=0.1)

    await walk(act, archive_to=str(tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()


async def test_an_archive_that_cannot_be_written_is_told_and_does_not_fail_the_run(shop, walk, visit, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    attempt = await walk(visit, archive_to=str(tmp_path / "file" / "kept"))
    assert attempt.error is None
    assert attempt.exchange("/a.js").status == 200
    assert any("were not kept" in record.message for record in caplog.records)
