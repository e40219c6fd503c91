"""A short way to a folder. Chromium keeps a socket in its temporary folder, and a socket's path may have 107 bytes."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path

_log = logging.getLogger(__name__)

# What Chromium adds: a folder of its own with a random name, and the socket in it.
_ROOM = 107 - len("/org.chromium.Chromium.XXXXXX/SingletonSocket")
_PLACE = Path("/tmp")  # noqa: S108 - the one folder whose name is short everywhere; the link's own name cannot be guessed


class Shortcuts:
    """Links that stand for folders with long names, until they are removed."""

    def __init__(self, place: Path = _PLACE) -> None:
        """Put links into ``place``."""
        self._place = place
        self._links: list[Path] = []

    def to(self, folder: Path) -> Path:
        """Return the folder itself where its name is short enough, or a link to it."""
        if len(os.fsencode(folder)) <= _ROOM:
            return folder
        link = self._place / f"faultline-{secrets.token_hex(8)}"
        try:
            link.symlink_to(folder, target_is_directory=True)
        except OSError as error:
            _log.warning("no short way to a folder", extra={"folder": str(folder), "error": str(error)})
            return folder
        self._links.append(link)
        return link

    def remove(self) -> None:
        """Remove all links."""
        while self._links:
            with contextlib.suppress(OSError):
                self._links.pop().unlink()
