"""The pages of the shop: markup and its script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.manifest import World
from tests.lab.world.names import Names

_STYLE = (
    "body{font:16px sans-serif;margin:2em}form{margin:1em 0}label{display:block}"
    "iframe{width:22em;height:6em;border:1px solid}"
)


class Pages:
    """Writes the shop's markup for the variants of the moment."""

    def __init__(self, names: Names, world: World) -> None:
        """Write in the words of one world."""
        self._names = names
        self._world = world

    def style(self) -> str:
        """Return the style sheet."""
        return _STYLE

    def html(self, kind: str, main: str, variants: Mapping[str, Any], *, blocking: bool = False) -> str:
        """Return a whole page. ``blocking``: the tag manager stands in the head and is waited for."""
        names = self._names
        at = names.at
        tags = f'<script {"" if blocking else "async "}src="{at("tags", "script")}"></script>'
        head = [
            f"<title>{names.brand}</title>",
            f'<link rel="stylesheet" href="{names.part("own", "css")}">',
            f'<link rel="stylesheet" href="{at("fonts", "css")}">',
            tags,
            f'<script src="{at("cdn", "library")}{names.library.lower()}-3.{len(names.brand)}.1.min.js"></script>',
            f'<script defer src="{names.part("own", "app-js")}"></script>',
            f'<script async src="{at("cmp", "script")}"></script>',
            f'<script async src="{at("ads", "script")}"></script>',
            f'<script async src="{at("ana", "script")}"></script>',
            f'<script async src="{at("chat", "script")}"></script>',
        ]
        if "preconnect" in variants:
            host = f"https://{names.library.lower()}.{names.domains['ads']}:{names.port}"
            head.insert(1, f'<link rel="preconnect" href="{host}"><link rel="dns-prefetch" href="{host}">'
                           f'<link rel="prefetch" href="{host}/next.js">')  # fmt: skip
        extra = ""
        if "dead-picture" in variants:
            extra += f'<img src="{names.part("own", "picture")}seasonal-{names.token}.webp" alt="">'
        if "report-noise" in variants:
            extra += (
                f'<img src="{at("ana", "pixel")}?n=1" alt=""><img src="https://{names.hosts["ads"]}:9/x.gif" alt="">'
            )
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">{"".join(head)}</head>'
            f'<body data-page="{kind}"><header><a href="/">{names.brand}</a></header>'
            f"<main>{main}</main>{extra}</body></html>"
        )

    def home(self, variants: Mapping[str, Any]) -> str:
        """Return the front page."""
        names = self._names
        goods = (names.product, *names.others)
        items = "".join(
            f'<li><a href="{names.part("own", "product")}{good.lower().replace(" ", "-")}">{good}</a> '
            '<span class="price"></span></li>'
            for good in goods
        )
        return self.html("home", f"<h1>Welcome to {names.brand}</h1><ul>{items}</ul><p id='note'></p>", variants)

    def product(self, name: str, variants: Mapping[str, Any]) -> str:
        """Return the page of one thing."""
        main = (
            f"<h1>{name}</h1><p id='note'></p><button id='add' type='button' hidden>{self._names.words['add']}</button>"
        )
        return self.html("product", main, variants)

    def cart(self, variants: Mapping[str, Any]) -> str:
        """Return the basket."""
        label = self._label("checkout", variants)
        main = (
            f"<h1>{self._names.product}</h1><p id='note'></p>"
            f"<p><a id='go' hidden href='{self._names.part('own', 'checkout')}'>{label}</a></p>"
        )
        return self.html("cart", main, variants)

    def checkout(self, variants: Mapping[str, Any]) -> str:
        """Return the form with the card."""
        names, world = self._names, self._world
        words = names.words
        parts = [f"<h1>{names.brand}</h1>", "<form id='order'>"]
        parts += [f"<label>{words[one]} <input name='{one}' required></label>" for one in ("name", "address")]
        if world.maps:
            parts.append(f"<fieldset><legend>{words['point']}</legend><div id='points'></div></fieldset>")
        if world.live:
            parts.append(f"<p id='stock'>{words['connecting']}</p>")
        if world.captcha:
            parts.append("<div id='human'></div>")
        label = self._label("pay", variants)
        if world.pay == "redirect":
            parts.append(f"<p><a id='settle' href='{names.part('own', 'pay')}'>{label}</a></p></form>")
        else:
            buttons = f"<button id='pay' disabled>{label}</button>" * (2 if "two-buttons" in variants else 1)
            parts.append(f"<div id='card'></div>{buttons}</form><p id='note'></p>")
            parts.append(f'<script src="{names.at("pay", "script")}"></script>')
            parts.append(f'<script src="{names.part("own", "pay-js")}"></script>')
        if world.captcha:
            parts.append(f'<script async src="{names.at("captcha", "script")}"></script>')
        return self.html("checkout", "".join(parts), variants)

    def order(self, variants: Mapping[str, Any]) -> str:
        """Return the confirmation."""
        return self.html(
            "order", f"<h1>{self._names.words['thanks']}</h1><p>{self._names.token[:6].upper()}</p>", variants
        )

    def signin(self, login: str, variants: Mapping[str, Any]) -> str:
        """Return the page for signing in."""
        names = self._names
        if login == "own":
            main = (
                "<h1>Account</h1><form id='signin'><label>Email <input name='email'></label><label>Password "
                "<input name='password' type='password'></label><button>Sign in</button></form><p id='note'></p>"
            )
        else:
            label = f"{names.words['sign_in']} {names.titles['idp']}"
            main = f"<h1>Account</h1><p><a href='{names.part('own', 'start')}'>{label}</a></p>"
        return self.html("signin", main, variants)

    def account(self, email: str, variants: Mapping[str, Any]) -> str:
        """Return the account."""
        return self.html("account", f"<h1>{self._names.words['signed_in']} {email}</h1>", variants)

    def article(self, variants: Mapping[str, Any]) -> str:
        """Return a page to read, with pictures."""
        names = self._names
        count = 1 + self._world.images + int(variants.get("images", 0))
        base = names.part("own", "picture")
        pictures = "".join(
            f'<img src="{base}{names.slug}-{number}.png" alt="" width="40" height="30">' for number in range(count)
        )
        text = f"<p>{' '.join(names.others)}. {names.brand} since {1900 + len(names.slug)}.</p>" * 3
        main = f"<article><h1>{names.product}</h1>{text}<div id='pictures'>{pictures}</div></article><p id='note'></p>"
        return self.html("article", main, variants, blocking=True)

    def _label(self, word: str, variants: Mapping[str, Any]) -> str:
        # What a redesign calls the same button.
        return "Complete purchase" if word == "pay" and "rename-button" in variants else self._names.words[word]


def bundle(names: Names, world: World, variants: Mapping[str, Any], *, throws: bool) -> str:
    """Return the shop's script, as the variants of the moment have it deployed."""
    api = names.url("api")
    if "plain-api" in variants:
        api = api.replace("https://", "http://")
    settings = {
        "api": api,
        "prices": names.part("api", "prices"),
        "basket": names.part("api", "basket"),
        "orders": names.part("api", "orders"),
        "session": names.part("api", "session"),
        "flags": names.at("flags", "flags"),
        "live": names.at("live", "feed").replace("https://", "wss://"),
        "points": names.at("maps", "points"),
        "cart": names.part("own", "cart"),
        "account": names.part("own", "account"),
        "reserve": names.part("own", "reserve"),
        "sorry": names.words["sorry"],
        "reserved": names.words["reserved"],
        "slug": names.slug,
        "needs": [need for need in ("maps", "live", "captcha") if getattr(world, need)],
        "calls": int(variants.get("sequential", 1)),
        "retry": world.retry,
        "abort": "aborted-fetch" in variants,
        "busy": float(variants.get("busy", 0)),
    }
    broken = "const total = shop.order.total.amount;" if throws else ""
    return _BUNDLE % {"settings": json.dumps(settings), "library": names.library, "broken": broken, "work": WORK}


def till(names: Names) -> str:
    """Return the script of the checkout."""
    return _TILL % {
        "pay": names.library + "Pay",
        "orders": json.dumps(names.at("api", "orders")),
        "order": json.dumps(names.part("own", "order")),
        "sorry": json.dumps(names.words["sorry"]),
    }


# Counts only time in which it really ran, so that a slowed processor, and nothing else, makes it longer.
WORK = """function work(seconds) {
  let spent = 0, before = performance.now(), x = 1.1;
  while (spent < seconds * 1000) {
    for (let i = 0; i < 20000; i++) { x = Math.sqrt(x * 1.0001 + i); }
    const now = performance.now(), passed = now - before;
    before = now;
    if (passed < 1.5) { spent += passed; } else { spent += 0.4; }
  }
  return x;
}"""

_BUNDLE = """'use strict';
const shop = %(settings)s;
%(work)s
const note = (text) => { const place = document.getElementById('note'); if (place) { place.textContent = text; } };
const show = (id) => { const element = document.getElementById(id); if (element) { element.hidden = false; } };
async function ask(url, options) {
  let answer = await fetch(url, options);
  if (shop.retry && answer.status >= 500) { answer = await fetch(url, options); }
  if (!answer.ok) { throw new Error('unexpected answer'); }
  return answer.json();
}
const pages = {
  async home() {
    try {
      const prices = await ask(shop.api + shop.prices);
      sessionStorage.setItem('prices', JSON.stringify(prices));
      document.querySelectorAll('.price').forEach((place, at) => {
        place.textContent = %(library)s.money(prices.items[at].amount);
      });
    } catch (problem) {
      if (problem instanceof ReferenceError) { throw problem; }
      if (problem.message === 'unexpected answer') { sessionStorage.setItem('prices', 'refused'); }
      note(shop.sorry);
    }
    if (shop.abort) {
      const stop = new AbortController();
      fetch(shop.reserve, { signal: stop.signal }).catch(() => {});
      setTimeout(() => stop.abort(), 30);
      fetch(shop.reserve + '?later').catch(() => {});
    }
  },
  async product() {
    if (sessionStorage.getItem('prices') === null) {
      // The customer was faster than the prices on the front page.
      try {
        sessionStorage.setItem('prices', JSON.stringify(await ask(shop.api + shop.prices)));
      } catch (problem) { /* there are none */ }
    }
    if (['refused', null].includes(sessionStorage.getItem('prices'))) { note(shop.sorry); return; }
    show('add');
    document.getElementById('add').addEventListener('click', async () => {
      %(broken)s
      try {
        const made = await ask(shop.api + shop.basket, { method: 'POST', body: JSON.stringify({ item: shop.slug }) });
        sessionStorage.setItem('basket', made.id);
        location.assign(shop.cart);
      } catch (problem) { note(shop.sorry); }
    });
  },
  async cart() {
    try {
      for (let call = 0; call < shop.calls; call++) {
        await ask(shop.api + shop.basket + '?id=' + sessionStorage.getItem('basket') + '&line=' + call);
      }
      if (shop.busy) { work(shop.busy); }
      show('go');
    } catch (problem) { note(shop.sorry); }
  },
  async checkout() {
    if (shop.needs.includes('maps')) {
      try {
        const found = await ask(shop.points + '?near=1');
        document.getElementById('points').innerHTML = found.points.map((point) =>
          '<label><input type="radio" name="point" value="' + point + '"> ' + point + '</label>').join('');
      } catch (problem) { document.getElementById('points').textContent = shop.sorry; }
    }
    if (shop.needs.includes('live')) {
      const socket = new WebSocket(shop.live);
      socket.onmessage = (event) => {
        document.getElementById('stock').textContent = shop.reserved;
        document.body.dataset.held = event.data;
        window.dispatchEvent(new Event('held'));
      };
    }
  },
  async signin() {
    const form = document.getElementById('signin');
    if (!form) { return; }
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      try {
        const body = JSON.stringify(Object.fromEntries(new FormData(form)));
        await ask(shop.api + shop.session, { method: 'POST', body });
        document.cookie = 'member=' + form.email.value + '; path=/; secure';
        location.assign(shop.account);
      } catch (problem) { note(shop.sorry); }
    });
  },
};
(async () => {
  const flags = JSON.parse(await (await fetch(shop.flags)).text());
  %(library)s.setup(flags);
  const page = pages[document.body.dataset.page];
  if (page) { await page(); }
  document.body.dataset.ready = '1';
})();
"""

_TILL = """'use strict';
(() => {
  const button = document.getElementById('pay'), form = document.getElementById('order');
  const say = (text) => { document.getElementById('note').textContent = text; };
  let card = false;
  const awaited = () => (!document.getElementById('human') || document.body.dataset.human)
    && (!document.getElementById('stock') || document.body.dataset.held);
  const refresh = () => {
    document.querySelectorAll('#pay').forEach((one) => { one.disabled = !(card && awaited()); });
  };
  window.addEventListener('held', refresh);
  window.addEventListener('human', refresh);
  try {
    %(pay)s.mount(document.getElementById('card'), () => { card = true; refresh(); });
  } catch (problem) { say(%(sorry)s); throw problem; }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const token = await %(pay)s.charge();
      const body = JSON.stringify({ token, basket: sessionStorage.getItem('basket') });
      const answer = await fetch(%(orders)s, { method: 'POST', body });
      if (!answer.ok) { throw new Error('order refused'); }
      const made = await answer.json();
      location.assign(%(order)s + made.number);
    } catch (problem) { say(%(sorry)s); }
  });
})();
"""
