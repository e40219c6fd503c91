"""The prober ``tcp``: a connection, perhaps encrypted, and what is said over it."""

from __future__ import annotations

import socket

from monitor.probes.blackbox.addresses import choose_address
from monitor.probes.blackbox.conversation import Conversation, LineTooLong
from monitor.probes.blackbox.encryption import Contexts, encrypt
from monitor.probes.blackbox.modules import TcpModule
from monitor.probes.blackbox.occasion import Occasion
from monitor.probes.http.channels import Channel, DeadlineReached
from monitor.probes.http.failures import words_of
from monitor.probes.vantage.resolver import ResolveFailed
from monitor.probes.vantage.stamps import Timeline

_HIGHEST_PORT = 65_535


def split_target(target: str) -> tuple[str, int]:
    """Return host and port. Raises ValueError where the target is not ``host:port``."""
    host, colon, port = target.rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        msg = "address: missing port or too many colons; write host:port or [ipv6]:port"
        raise ValueError(msg)
    return host.removeprefix("[").removesuffix("]"), port_of(port)


def port_of(text: str) -> int:
    """Return the number of a port that is given by number or name. Raises ValueError where there is none such."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(_HIGHEST_PORT)) and int(text) <= _HIGHEST_PORT:
        return int(text)
    try:
        return socket.getservbyname(text)
    except (OSError, UnicodeError):
        msg = "unknown port"
        raise ValueError(msg) from None


async def probe_tcp(occasion: Occasion, target: str, module: TcpModule, contexts: Contexts) -> bool:
    """Connect, hold the conversation, and say whether all of it went as wanted."""
    try:
        host, port = split_target(target)
        address, _ = await choose_address(occasion, host, preferred=module.preferred, fallback=module.fallback)
        channel, _ = await occasion.network.dialer.attempt(
            address, port, occasion.deadline, Timeline(), source=module.source_address
        )
    except (OSError, ValueError, ResolveFailed, DeadlineReached) as error:
        occasion.say("Error dialing TCP", err=words_of(error))
        return False
    try:
        return await _converse(occasion, channel, module, contexts, host)
    except (OSError, EOFError, ValueError, DeadlineReached, LineTooLong) as error:
        occasion.say("The conversation broke off", err=words_of(error))
        return False
    finally:
        channel.close()


async def _converse(occasion: Occasion, channel: Channel, module: TcpModule, contexts: Contexts, host: str) -> bool:
    conversation = Conversation(occasion, channel, contexts, host)
    if module.tls is None:
        return await conversation.hold(module, channel)
    context = await contexts.context(module.tls)
    secure, _ = await encrypt(channel, context, module.tls.server_name or host)
    return await conversation.hold(module, secure)
