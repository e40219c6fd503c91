"""For maintainers: brings the shipped vendor names up to date. ``python -m monitor.diagnosis.refresh_vendors``."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "third-party-web"
VERSION = "0.30.0"
INTEGRITY = "sha512-p+PfyL5U0ediGzvwPzMSdD9MnC8rHW6nWJJVLIQvqN7RsSqfaZ+7n4c9GILqH36EYR0eXB9CzAeCRnKFr/9uJg=="


class IntegrityError(Exception):
    """The package that was fetched is not the one that was pinned."""


def convert(entities: list[dict[str, Any]], version: str) -> dict[str, Any]:
    """Return the compact form that the product reads: one entry for each pattern of a host."""
    vendors = [[entity["name"], entity.get("category", entity.get("categories", [""])[0])] for entity in entities]
    exact: dict[str, int] = {}
    wildcard: dict[str, int] = {}
    for number, entity in enumerate(entities):
        for pattern in entity["domains"]:
            table, host = (wildcard, pattern[2:]) if pattern.startswith("*.") else (exact, pattern)
            table.setdefault(host.lower(), number)
    return {"source": PACKAGE, "version": version, "vendors": vendors, "exact": exact, "wildcard": wildcard}


def verify(archive: bytes) -> None:
    """Refuse an archive whose digest is not the pinned one."""
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != INTEGRITY:
        msg = f"{PACKAGE} {VERSION} has the digest {digest}, expected {INTEGRITY}"
        raise IntegrityError(msg)


def main() -> int:
    """Fetch the pinned package with npm, verify it, and write the data and its licence."""
    directory = Path(__file__).with_name("data")
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", place]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words, no shell
        archive = next(Path(place).glob("*.tgz")).read_bytes()
    verify(archive)
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        entities = json.loads(_member(package, "package/dist/entities-nostats.json"))
        licence = _member(package, "package/LICENSE")
    data = json.dumps(convert(entities, VERSION), ensure_ascii=False, separators=(",", ":"))
    (directory / "vendors.json").write_text(data + "\n", encoding="utf-8")
    (directory / "LICENSE.third-party-web").write_bytes(licence)
    return 0


def _member(package: tarfile.TarFile, name: str) -> bytes:
    member = package.extractfile(name)
    if member is None:
        msg = f"{PACKAGE} {VERSION} holds no {name}"
        raise IntegrityError(msg)
    return member.read()


if __name__ == "__main__":
    sys.exit(main())
