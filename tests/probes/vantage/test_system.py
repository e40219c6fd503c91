from __future__ import annotations

import pytest

from monitor.probes.vantage.system import NameServer, SystemFile, parse_hosts, parse_resolv_conf, parse_server


def test_servers_are_addresses_with_or_without_a_port():
    assert parse_server("192.0.2.53") == NameServer("192.0.2.53", 53)
    assert parse_server("192.0.2.53:5353") == NameServer("192.0.2.53", 5353)
    assert parse_server("2001:db8::53") == NameServer("2001:db8::53", 53)
    assert str(parse_server("[2001:db8::53]:5353")) == "[2001:db8::53]:5353"
    for text in ("dns.example", "192.0.2.53:x", "", "1.2.3"):
        with pytest.raises(ValueError, match=r"write 192\.0\.2\.53"):
            parse_server(text)


def test_resolv_conf_is_read_as_resolvers_do():
    found = parse_resolv_conf(
        "# comment\nnameserver 192.0.2.1 ; first\nnameserver fe80::1%eth0\nnameserver nonsense\n"
        "search corp.test Sub.Corp.Test.\noptions ndots:2 timeout:100 attempts:9 rotate\nsortlist 1\nnameserver\n"
    )
    assert found.servers == (NameServer("192.0.2.1"), NameServer("fe80::1%eth0"))
    assert found.search == ("corp.test", "sub.corp.test")
    assert (found.ndots, found.timeout, found.attempts) == (2, 30.0, 5)
    assert parse_resolv_conf("").servers == (NameServer("127.0.0.1"),)


def test_a_hosts_file_gives_every_name_its_addresses():
    assert parse_hosts("127.0.0.1 a b.\n::1 a\n127.0.0.1 a\nnonsense c\n") == {
        "a": ("127.0.0.1", "::1"),
        "b": ("127.0.0.1",),
    }


def test_a_file_is_read_again_once_it_has_changed(tmp_path):
    path, now = tmp_path / "hosts", [0.0]
    found = SystemFile(path, str.upper, elapsed=lambda: now[0])
    assert found.read() == ""
    path.write_text("one")
    assert found.read() == ""
    now[0] += 2
    assert found.read() == "ONE"
    path.unlink()
    now[0] += 2
    assert found.read() == ""
