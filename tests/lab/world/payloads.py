"""What a broken script does: the code that a bad deployment adds to it."""

from __future__ import annotations

import zlib

from tests.lab.world.faults import Trouble
from tests.lab.world.messages import Request
from tests.lab.world.pages import WORK

_THROW = "\n(() => { const settings = window['%s']; settings.accounts.primary.start(); })();"
_OVERLAY = """
(() => {
  const cover = () => {
    if (!document.querySelector('form') || document.getElementById('%(id)s')) { return; }
    const layer = document.createElement('div');
    layer.id = '%(id)s';
    layer.style.cssText = 'position:fixed;inset:0;z-index:9999;background:rgba(20,20,30,.55)';
    layer.textContent = 'We value your privacy';
    document.body.appendChild(layer);
  };
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', cover); } else { cover(); }
})();"""
_REMOVE = """
(() => {
  const clean = () => { document.querySelectorAll('form').forEach((form) => form.remove()); };
  if (document.readyState === 'loading') { document.addEventListener('DOMContentLoaded', clean); } else { clean(); }
})();"""
_BUSY = "\n%s\nwork(%s);"


def payload(trouble: Trouble, request: Request) -> bytes:
    """Return what is added to a script. The shop's own bundle throws where it is clicked, not where it is loaded."""
    mark = f"l{zlib.crc32(request.path.encode()) % 9973}"
    match trouble.get("payload"):
        case "throw":
            return b"" if request.role == "own" else (_THROW % mark).encode()
        case "overlay":
            return (_OVERLAY % {"id": mark}).encode()
        case "remove-form":
            return _REMOVE.encode()
        case "busy":
            return (
                (_BUSY % (WORK.replace("function work", f"function {mark}"), trouble.get("seconds", 6)))
                .replace("\nwork(", f"\n{mark}(")
                .encode()
            )
        case other:
            msg = f"'payload: {other}' is none; there are: throw, overlay, remove-form, busy"
            raise ValueError(msg)
