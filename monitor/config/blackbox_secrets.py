"""What of a module nobody may see."""

from __future__ import annotations

_HIDDEN = frozenset(
    {"password", "credentials", "bearer_token", "secrets", "body", "send", "key", "proxy_connect_header"}
)
_TELLING = ("auth", "cookie", "token", "secret", "key", "password", "session")


def is_telling(header: str) -> bool:
    """Say whether a header by its name is likely to hold what nobody may see."""
    return any(part in header.lower() for part in _TELLING)


def hidden(value: object, *, of_headers: bool = False) -> object:
    """Return plain data without what may be a secret."""
    match value:
        case dict():
            return {
                key: "<secret>"
                if (is_telling(key) if of_headers else key in _HIDDEN)
                else _without_password(each)
                if key == "proxy_url"
                else hidden(each, of_headers=key == "headers")
                for key, each in value.items()
            }
        case list():
            return [hidden(each) for each in value]
        case bytes():
            return f"<{len(value)} bytes>"
        case _:
            return value


def _without_password(value: object) -> object:
    if not isinstance(value, str) or "@" not in value:
        return value
    before, _, after = value.rpartition("@")
    return f"{before.partition('://')[0]}://<secret>@{after}"
