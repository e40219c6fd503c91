from __future__ import annotations

import pytest

from monitor.reading.addresses import (
    HostPort,
    check_base_url,
    check_host_pattern,
    check_url,
    is_loopback,
    split_host_port,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.com",
        "http://localhost:8080/shop",
        "https://[2001:db8::1]:8443/",
        "https://192.0.2.1/a?b=c#d",
        "https://xn--bcher-kva.example",
    ],
)
def test_ordinary_urls_are_taken(url: str):
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "chrome://settings",
        "view-source:https://www.example.com",
        "//www.example.com",
        "www.example.com",
        "",
        "https://",
        "https://me:word@www.example.com",
        "https://me@www.example.com",
        "https://www.example.com@evil.example",
        "https://exa mple.com",
        "https://www.example.com\\@evil.example",
        "https://www.example.com\n.evil.example",
        "https://bücher.example",
        "https://www.example.com:99999",
        "https://www.example.com:x",
        "https://[::1",
        "https://-a.example",
    ],
)
def test_urls_that_mislead_or_do_more_than_fetch_a_page_are_refused(url: str):
    with pytest.raises(ValueError, match=r"\w"):
        check_url(url)


def test_a_base_url_loses_the_slash_at_its_end():
    assert check_base_url("https://www.example.com/") == "https://www.example.com"
    with pytest.raises(ValueError, match="leave out what follows"):
        check_base_url("https://www.example.com/?a=b")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9488", "127.0.0.1", 9488),
        ("[::1]:9488", "::1", 9488),
        ("::1", "::1", None),
        ("www.Example.com", "www.example.com", None),
        ("localhost:1", "localhost", 1),
    ],
)
def test_host_and_port_are_told_apart(text: str, host: str, port: int | None):
    assert split_host_port(text) == HostPort(host=host, port=port)


@pytest.mark.parametrize("text", ["", ":80", "host:", "host:0", "host:65536", "host:٣", "::1:80:", "a b", "[::1]80"])
def test_what_is_not_host_and_port_is_refused(text: str):
    with pytest.raises(ValueError, match="is not host:port"):
        split_host_port(text)


@pytest.mark.parametrize("pattern", ["*.example.com", "www.example.com", "*.X.example"])
def test_a_pattern_covers_a_host_or_all_below_it(pattern: str):
    assert check_host_pattern(pattern) == pattern.lower()


@pytest.mark.parametrize(
    "pattern", ["*", "*.", "a.*.example", "https://x.example", "x.example/", ".x.example", "x..example"]
)
def test_other_patterns_are_refused(pattern: str):
    with pytest.raises(ValueError, match="is not a host"):
        check_host_pattern(pattern)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_only_this_machine_reaches_loopback(host: str):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "host", "localhost.example.com"])
def test_others_reach_everything_else(host: str):
    assert not is_loopback(host)
