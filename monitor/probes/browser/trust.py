"""Makes a browser trust further certificate authorities: a private NSS database, written through NSS itself.

Chromium reads ``$HOME/.pki/nssdb`` and Firefox ``cert9.db`` of its profile; both bring libnss3 with them, so neither
``certutil`` nor root is needed, and every other fault of a certificate still fails as it does for a customer.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from monitor.domain.evidence import ProberFault
from monitor.probes.browser import nss
from monitor.probes.session import ProberError

_PROGRAM = Path(nss.__file__)
_LIMIT = 20.0


async def write_trust_database(directory: Path, pem: str) -> None:
    """Write an NSS database into ``directory`` that trusts each certificate of a PEM text. Raises ProberError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_PROGRAM),
        str(directory),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(pem.encode()), _LIMIT)
    except TimeoutError:
        process.kill()
        await process.wait()
        errors = b"no answer within its time"
    if process.returncode:
        words = errors.decode(errors="replace").strip().splitlines() or ["no words"]
        message = f"The extra certificate authority could not be given to the browser: {words[-1][:200]}"
        raise ProberError(ProberFault.INTERNAL, message)
