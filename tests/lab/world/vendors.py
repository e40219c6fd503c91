"""The others: payment, library, tags, consent, advertising, analytics, fonts, maps, chat, captcha, identity."""

from __future__ import annotations

import json
import secrets

from tests.lab.world.messages import Answer, Request, data, page, redirect, script
from tests.lab.world.names import Names


class Vendors:
    """Answers for every host that is not the shop's."""

    def __init__(self, names: Names) -> None:
        """Answer in the names of one world."""
        self._names = names

    def pay(self, request: Request) -> Answer:
        """A script that mounts a frame with the card, and the API that charges it."""
        names, part = self._names, self._names.paths["pay"]
        if request.path == part["script"]:
            settings = json.dumps(
                {"frame": names.at("pay", "frame"), "charges": names.at("pay", "charges"), "origin": names.url("pay")}
            )
            return script(_PAY % {"name": f"{names.library}Pay", "settings": settings})
        if request.path.startswith(part["frame"]):
            return page(_FRAME % {"label": names.words["card"]})
        if request.path.startswith(part["charges"]):
            answer = data({"token": f"t_{secrets.token_hex(8)}"})
            answer.headers["access-control-allow-origin"] = "*"
            return answer
        if request.path.startswith(part["hosted-page"]):
            if request.method == "POST":
                return redirect(f"{names.at('own', 'order')}{secrets.token_hex(3)}")
            return page(
                f"<!doctype html><title>{names.titles['pay']}</title><form method='post'><label>{names.words['card']} "
                f"<input name='n'></label><button>{names.words['pay']}</button></form>"
            )
        return Answer(status=404)

    def cdn(self, request: Request) -> Answer:
        """The library that the shop's bundle needs."""
        if not request.path.startswith(self._names.paths["cdn"]["library"]):
            return Answer(status=404)
        return script(_LIBRARY % {"name": self._names.library})

    def tags(self, _request: Request) -> Answer:
        """A tag manager: it injects the tag."""
        return script(_INJECT % json.dumps(self._names.at("tag", "script")))

    def tag(self, _request: Request) -> Answer:
        """What the tag manager injects."""
        return script("window.dataQueue = window.dataQueue || []; window.dataQueue.push(['view', location.pathname]);")

    def cmp(self, _request: Request) -> Answer:
        """A consent banner that is in nobody's way."""
        return script(_BANNER)

    def ads(self, _request: Request) -> Answer:
        """Advertising."""
        return script(_ADVERTISEMENT)

    def ana(self, request: Request) -> Answer:
        """Analytics: a script, its beacon, a pixel."""
        part = self._names.paths["ana"]
        if request.path == part["script"]:
            return script(_BEACON % json.dumps(self._names.at("ana", "beacon")))
        if request.path.startswith(part["beacon"]):
            return Answer(status=204)
        return Answer(body=b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", type="image/gif")

    def fonts(self, _request: Request) -> Answer:
        """A style sheet."""
        return Answer(
            body=b"h1{letter-spacing:.01em}", type="text/css", headers={"cache-control": "public, max-age=600"}
        )

    def maps(self, request: Request) -> Answer:
        """Pick-up points, for other origins as well."""
        if not request.path.startswith(self._names.paths["maps"]["points"]):
            return Answer(status=404)
        answer = data(
            {"points": [f"{other.split()[0]} Street {number + 3}" for number, other in enumerate(self._names.others)]}
        )
        answer.headers["access-control-allow-origin"] = "*"
        return answer

    def chat(self, _request: Request) -> Answer:
        """A chat bubble."""
        return script("window.chatReady = Date.now();")

    def captcha(self, _request: Request) -> Answer:
        """A box to tick, which enables the button."""
        return script(_HUMAN % json.dumps(self._names.words["human"]))

    def idp(self, request: Request) -> Answer:
        """Where somebody signs in, and is led back."""
        names, part = self._names, self._names.paths["idp"]
        if request.path.startswith(part["authorize"]):
            return page(_SIGN_IN % {"title": names.titles["idp"], "to": part["login"]})
        if request.path.startswith(part["login"]) and request.method == "POST":
            who = request.form().get("email", "nobody")
            return redirect(f"{names.at('own', 'callback')}?code={secrets.token_hex(8)}&who={who}")
        return Answer(status=404)

    def saas(self, request: Request) -> Answer:
        """A help desk for many customers; which one is told by the host's name."""
        title = request.headers.get("host", "").partition(".")[0].title()
        if request.method == "POST":
            return page(f"<!doctype html><title>{title}</title><h1>{self._names.words['received']}</h1>")
        path = self._names.paths["hosted"]["ticket"]
        return page(
            f"<!doctype html><title>{title}</title><h1>{title}</h1><form method='post' action='{path}'><label>Email "
            f"<input name='email'></label><button>{self._names.words['ask']}</button></form>"
        )

    def other(self, request: Request) -> Answer:
        """A site that has nothing to do with the shop."""
        title = request.headers.get("host", "").partition(".")[0].title()
        return page(f"<!doctype html><title>{title}</title><p>{title}</p>", cache_control="no-store")


_PAY = """'use strict';
window.%(name)s = (() => {
  const settings = %(settings)s;
  let ready = () => {};
  addEventListener('message', (event) => { if (event.origin === settings.origin) { ready(); } });
  return {
    mount(place, done) {
      ready = done;
      const frame = document.createElement('iframe');
      frame.src = settings.frame;
      frame.title = 'card';
      place.append(frame);
    },
    async charge() {
      const answer = await fetch(settings.charges, { method: 'POST', body: '{}' });
      if (!answer.ok) { throw new Error('not charged'); }
      return (await answer.json()).token;
    },
  };
})();
"""

_FRAME = """<!doctype html><meta charset="utf-8"><label>%(label)s <input name="n" autocomplete="off"></label>
<script>parent.postMessage('ready', '*');</script>"""

_LIBRARY = """var %(name)s = (function () {
  var flags = {};
  return {
    setup: function (given) { flags = given; },
    money: function (amount) { return '\\u20ac ' + Number(amount).toFixed(flags.rounded ? 2 : 3); },
  };
})();
"""

_INJECT = """(() => {
  const one = document.createElement('script');
  one.async = true;
  one.src = %s;
  document.head.append(one);
})();"""

_BANNER = """(() => {
  const put = () => {
    const bar = document.createElement('div');
    bar.style.cssText = 'margin-top:2em;font-size:12px';
    bar.textContent = 'We use cookies.';
    document.body.append(bar);
  };
  if (document.readyState === 'loading') { addEventListener('DOMContentLoaded', put); } else { put(); }
})();"""

_ADVERTISEMENT = """(() => {
  const box = document.createElement('aside');
  box.textContent = 'Advertisement';
  const put = () => document.body.append(box);
  if (document.readyState === 'loading') { addEventListener('DOMContentLoaded', put); } else { put(); }
})();"""

_BEACON = """fetch(%s + '?p=' + encodeURIComponent(location.pathname), { mode: 'no-cors', keepalive: true })
  .catch(() => {});"""

_HUMAN = """(() => {
  const place = document.getElementById('human');
  if (!place) { return; }
  const label = document.createElement('label'), box = document.createElement('input');
  box.type = 'checkbox';
  label.append(box, ' ' + %s);
  box.addEventListener('change', () => {
    document.body.dataset.human = '1';
    window.dispatchEvent(new Event('human'));
  });
  place.append(label);
})();"""

_SIGN_IN = """<!doctype html><meta charset="utf-8"><title>%(title)s</title><h1>%(title)s</h1>
<form method="post" action="%(to)s"><label>Email <input name="email"></label>
<label>Password <input type="password" name="password"></label><button>Sign in</button></form>"""
