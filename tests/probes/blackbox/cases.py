"""The table: targets and the modules they are probed with. Both probers get the same file and the same question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.probes.blackbox.world import World

PATIENCE = "8.0"
SHORT = "2.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question: what it shows, and how it is asked."""

    title: str
    module: str
    target: str
    hostname: str = ""
    patience: str = PATIENCE


def modules(world: World) -> dict[str, Any]:
    """Return the file of modules."""
    tls = {"tls_config": {"ca_file": str(world.ca_file)}}
    any_tls = {"tls_config": {"insecure_skip_verify": True}}
    http: dict[str, dict[str, Any]] = {
        "http_2xx": {"preferred_ip_protocol": "ip4"},
        "http_any_ip": {},
        "http_ip4_only": {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": False},
        "http_ip6_only": {"preferred_ip_protocol": "ip6", "ip_protocol_fallback": False},
        "http_404": {"valid_status_codes": [404, 410]},
        "http_302_stay": {"follow_redirects": False, "valid_status_codes": [301, 302]},
        "http_302_stay_old": {"no_follow_redirects": True},
        "http_stay_body": {
            "follow_redirects": False,
            "valid_status_codes": [302],
            "fail_if_body_not_matches_regexp": ["moved"],
        },
        "http_post": {"method": "POST", "body": '{"a": 1}', "headers": {"Content-Type": "application/json"}},
        "http_post_file": {"method": "POST", "body_file": str(world.folder / "body")},
        "http_head": {"method": "HEAD"},
        "http_closed": {"fail_if_body_matches_regexp": ["shop is (closed|open)"]},
        "http_open": {"fail_if_body_not_matches_regexp": ["shop is open", "^the"]},
        "http_unlike": {"fail_if_body_not_matches_regexp": ["sold out"]},
        "http_red": {"fail_if_header_matches": [{"header": "x-colour", "regexp": "blue"}]},
        "http_not_red": {"fail_if_header_matches": [{"header": "X-Colour", "regexp": "green"}]},
        "http_header_gone": {"fail_if_header_matches": [{"header": "X-Gone", "regexp": ".*"}]},
        "http_header_may_go": {
            "fail_if_header_not_matches": [{"header": "X-Gone", "regexp": ".*", "allow_missing": True}]
        },
        "http_header_blue": {"fail_if_header_not_matches": [{"header": "X-Colour", "regexp": "^bl"}]},
        "http_header_green": {"fail_if_header_not_matches": [{"header": "X-Colour", "regexp": "green"}]},
        "http_gzip": {"compression": "gzip"},
        "http_gzip_open": {
            "compression": "gzip",
            "headers": {"Accept-Encoding": "gzip"},
            "fail_if_body_not_matches_regexp": ["shop is open"],
        },
        "http_br": {"compression": "br"},
        "http_deflate": {"compression": "deflate"},
        "http_identity": {"compression": "identity"},
        "http_small": {"body_size_limit": "100B"},
        "http_small_open": {"body_size_limit": "100B", "fail_if_body_not_matches_regexp": ["open"]},
        "http_large_enough": {"body_size_limit": "1KB"},
        "http_gzip_small": {"compression": "gzip", "body_size_limit": "100B"},
        "http_1_1": {"valid_http_versions": ["HTTP/1.1"]},
        "http_2_0": {"valid_http_versions": ["HTTP/2.0"], **tls},
        "http_basic": {"basic_auth": {"username": "prober", "password": "correct horse"}},
        "http_basic_file": {"basic_auth": {"username": "prober", "password_file": str(world.folder / "password")}},
        "http_basic_wrong": {"basic_auth": {"username": "prober", "password": "battery staple"}},
        "http_bearer": {"bearer_token": "abc.def"},
        "http_authorization": {"authorization": {"credentials": "abc.def"}},
        "http_no_such_file": {"bearer_token_file": str(world.folder / "gone")},
        "http_host": {
            "headers": {"Host": "shop.example"},
            "fail_if_body_not_matches_regexp": ["host=shop.example "],
        },
        "http_key": {"http_headers": {"X-Api-Key": {"secrets": ["open sesame"]}}},
        "http_agent": {"headers": {"User-Agent": "my own"}},
        "http_tells_get": {"method": "POST", "body": "x=1", "fail_if_body_not_matches_regexp": ["^GET .* body=$"]},
        "http_tells_post": {"method": "POST", "body": "x=1", "fail_if_body_not_matches_regexp": ["^POST .* body=x=1$"]},
        "http_not_ssl": {"fail_if_ssl": True, **tls},
        "http_ssl": {"fail_if_not_ssl": True, **tls},
        "http_tls": tls,
        "http_any_tls": any_tls,
        "http_tls_named": {"tls_config": {"ca_file": str(world.ca_file), "server_name": "other.example"}},
        "http_tls_host": {"headers": {"Host": "other.example"}, **tls},
        "http_tls_1_2": {"tls_config": {"ca_file": str(world.ca_file), "max_version": "TLS12"}},
        "http_tls_1_3": {"tls_config": {"ca_file": str(world.ca_file), "min_version": "TLS13"}},
        "http_client_cert": {
            "tls_config": {
                "ca_file": str(world.ca_file),
                "cert_file": str(world.client_cert),
                "key_file": str(world.client_key),
            }
        },
        "http_no_ca": {"tls_config": {"ca_file": str(world.folder / "gone.pem")}},
        "http_no_h2": {"enable_http2": False, **tls},
        "http_proxied": {"proxy_url": world.proxy.url, "preferred_ip_protocol": "ip4"},
        "http_proxied_name": {"proxy_url": world.proxy.url, "skip_resolve_phase_with_proxy": True},
        "http_not_proxied": {"proxy_url": "http://127.0.0.1:1", "no_proxy": "127.0.0.1"},
        "http_tunneled": {"proxy_url": world.tunnel.url, **tls},
        "http_dead_proxy": {"proxy_url": "http://127.0.0.1:1"},
        "http_dead_proxy_tls": {"proxy_url": "http://127.0.0.1:1", **tls},
    }
    tcp: dict[str, dict[str, Any]] = {
        "tcp_connect": {},
        "tcp_ip4_only": {"preferred_ip_protocol": "ip4", "ip_protocol_fallback": False},
        "tcp_from_here": {"source_ip_address": "127.0.0.1"},
        "tcp_tls": {"tls": True, **tls},
        "tcp_tls_public": {"tls": True},
        "tcp_any_tls": {"tls": True, **any_tls},
        "pop3s": {"tls": True, "query_response": [{"expect": r"^\+OK"}], **tls},
        "ssh": {"query_response": [{"expect": "^SSH-2.0-"}, {"send": "SSH-2.0-blackbox-ssh-check"}]},
        "ssh_extract": {
            "query_response": [
                {
                    "expect": "^SSH-2.0-([^ -]+)(?: (.*))?$",
                    "labels": [{"name": "ssh_version", "value": "${1}"}, {"name": "ssh_comments", "value": "${2}"}],
                }
            ]
        },
        "irc": {
            "query_response": [
                {"send": "NICK prober"},
                {"send": "USER prober prober prober :prober"},
                {"expect": "PING :([^ ]+)", "send": "PONG ${1}"},
                {"expect": "^:[^ ]+ 001"},
            ]
        },
        "smtp_starttls": {
            "query_response": [
                {"expect": "^220 "},
                {"send": "EHLO prober"},
                {"expect": "^250 "},
                {"send": "STARTTLS"},
                {"expect": "^220"},
                {"starttls": True},
                {"send": "EHLO prober"},
                {"expect": "^250 encrypted"},
            ],
            **tls,
        },
        "echo_bytes": {"query_response": [{"send": b"\x00\x01ab"}, {"expect_bytes": b"\x00\x01ab\n"}]},
        "echo_other": {"query_response": [{"send": "ping"}, {"expect_bytes": "pong"}]},
        "echo_more": {"query_response": [{"send": "ping"}, {"expect_bytes": "ping\nand more"}]},
    }
    dns: dict[str, dict[str, Any]] = {
        "dns_a": {"query_name": "www.shop.example", "query_type": "A"},
        "dns_a_tcp": {"query_name": "www.shop.example", "query_type": "A", "transport_protocol": "tcp"},
        "dns_a_tls": {
            "query_name": "www.shop.example",
            "query_type": "A",
            "transport_protocol": "tcp",
            "dns_over_tls": True,
            **tls,
        },
        "dns_soa": {"query_name": "shop.example", "query_type": "SOA"},
        "dns_any": {"query_name": "shop.example"},
        "dns_txt": {
            "query_name": "text.shop.example",
            "query_type": "TXT",
            "validate_answer_rrs": {
                "fail_if_not_matches_regexp": ['^text\\.shop\\.example\\.\t60\tIN\tTXT\t"v=spf1 -all" "two"$']
            },
        },
        "dns_mx": {
            "query_name": "mail.shop.example",
            "query_type": "MX",
            "validate_answer_rrs": {"fail_if_not_matches_regexp": ["\tMX\t10 mx\\.shop\\.example\\.$"]},
        },
        "dns_gone": {"query_name": "gone.example", "query_type": "A"},
        "dns_gone_is_good": {"query_name": "gone.example", "query_type": "A", "valid_rcodes": ["NXDOMAIN"]},
        "dns_broken": {"query_name": "broken.example", "query_type": "A"},
        "dns_silent": {"query_name": "silent.example", "query_type": "A"},
        "dns_garbage": {"query_name": "garbage.example", "query_type": "A"},
        "dns_recursion": {"query_name": "wanted.example", "query_type": "A", "recursion_desired": False},
        "dns_matches": _answer("fail_if_matches_regexp", ".*192.0.2.2"),
        "dns_matches_not": _answer("fail_if_matches_regexp", ".*192.0.2.3"),
        "dns_all_match": _answer("fail_if_all_match_regexp", ".*192.0.2.*"),
        "dns_not_all_match": _answer("fail_if_all_match_regexp", ".*192.0.2.1"),
        "dns_not_matches": _answer("fail_if_not_matches_regexp", "www.shop.example.\t300\tIN\tA\t.*192.0.2.1"),
        "dns_none_matches": _answer("fail_if_none_matches_regexp", ".*192.0.2.3"),
        "dns_some_match": _answer("fail_if_none_matches_regexp", ".*192.0.2.2"),
        "dns_empty_answer": _answer("fail_if_not_matches_regexp", ".*", name="wanted.example"),
        "dns_sections": {
            "query_name": "full.example",
            "query_type": "A",
            "validate_authority_rrs": {"fail_if_not_matches_regexp": ["\tNS\tns[12]\\.example\\.$"]},
            "validate_additional_rrs": {"fail_if_matches_regexp": ["192\\.0\\.2\\.54"]},
        },
        "dns_bad_additional": {
            "query_name": "full.example",
            "query_type": "A",
            "validate_additional_rrs": {"fail_if_matches_regexp": ["192\\.0\\.2\\.53"]},
        },
    }
    made: dict[str, Any] = {name: {"prober": "http", "http": options} for name, options in http.items()}
    made |= {name: {"prober": "tcp", "tcp": options} for name, options in tcp.items()}
    made |= {name: {"prober": "dns", "dns": options} for name, options in dns.items()}
    made["http_hasty"] = {"prober": "http", "timeout": "1s"}
    return {"modules": made}


def _answer(rule: str, pattern: str, name: str = "www.shop.example") -> dict[str, Any]:
    return {"query_name": name, "query_type": "A", "validate_answer_rrs": {rule: [pattern]}}


def cases(world: World) -> tuple[Case, ...]:
    """Return the table."""
    return (
        *_answers(world),
        *_bodies(world),
        *_credentials(world),
        *_tls(world),
        *_ways(world),
        *_tcp(world),
        *_dns(world),
    )


def _case(title: str, module: str, target: str, **more: str) -> Case:
    return Case(title=title, module=module, target=target, **more)


def _answers(world: World) -> tuple[Case, ...]:
    url = world.web.url
    return (
        _case("a page that is well", "http_2xx", url("/")),
        _case("a target without a scheme", "http_2xx", f"127.0.0.1:{world.web.port}"),
        _case("not found", "http_2xx", url("/missing")),
        _case("not found, and that is right", "http_404", url("/missing")),
        _case("a server error", "http_2xx", url("/broken")),
        _case("no content", "http_2xx", url("/empty")),
        _case("a relative redirect", "http_2xx", url("/relative")),
        _case("a permanent redirect", "http_2xx", url("/permanent")),
        _case("a redirect to the same address", "http_2xx", url("/absolute")),
        _case("a redirect to a name", "http_2xx", url("/by-name")),
        _case("three redirects", "http_2xx", url("/three")),
        _case("a loop of redirects", "http_2xx", url("/loop")),
        _case("a redirect that is not followed", "http_302_stay", url("/relative")),
        _case("a redirect that is not followed, the old way", "http_302_stay_old", url("/relative")),
        _case("the body of a redirect that is not followed", "http_stay_body", url("/relative")),
        _case("a redirect without a place", "http_2xx", url("/nowhere")),
        _case("a redirect to another scheme", "http_2xx", url("/ftp")),
        _case("a redirect to where nobody listens", "http_2xx", url("/dead-end")),
        _case("a POST that is redirected with its body", "http_tells_post", url("/keep")),
        _case("a POST that becomes a GET", "http_tells_get", url("/see-other")),
        _case("a POST", "http_post", url("/tell")),
        _case("a POST with the body of a file", "http_post_file", url("/")),
        _case("a HEAD", "http_head", url("/")),
        _case("early hints before the answer", "http_2xx", url("/hints")),
        _case("a cookie set by a redirect", "http_2xx", url("/set")),
        _case("a date of change", "http_2xx", url("/dated")),
        _case("a date that is none", "http_2xx", url("/misdated")),
        _case("HTTP/1.0", "http_2xx", url("/old")),
        _case("HTTP/1.0 where 1.1 is wanted", "http_1_1", url("/old")),
        _case("HTTP/1.1 where 1.1 is wanted", "http_1_1", url("/")),
        _case("a target that is no URL", "http_2xx", "http://[::1"),
        _case("a name that does not exist", "http_2xx", "http://does-not-exist.invalid/"),
        _case("a path with special characters", "http_2xx", url("/tell?q=a%20b&c=d|e")),
    )


def _bodies(world: World) -> tuple[Case, ...]:
    url = world.web.url
    return (
        _case("a body that must not match, and does", "http_closed", url("/")),
        _case("a body that must not match, and does not", "http_closed", url("/tell")),
        _case("a body that must match, and does", "http_open", url("/")),
        _case("a body that must match, and does not", "http_unlike", url("/")),
        _case("a header that must not match, and does", "http_red", url("/")),
        _case("a header that must not match, and does not", "http_not_red", url("/")),
        _case("a header that must be there, and is not", "http_header_gone", url("/")),
        _case("a header that may be missing", "http_header_may_go", url("/")),
        _case("a header of which one value matches", "http_header_blue", url("/")),
        _case("a header of which no value matches", "http_header_green", url("/")),
        _case("gzip", "http_gzip", url("/gzip")),
        _case("gzip that is not undone", "http_2xx", url("/gzip")),
        _case("gzip, and a match inside", "http_gzip_open", url("/gzip")),
        _case("gzip that is wanted, and is none", "http_gzip", url("/")),
        _case("gzip that breaks off", "http_gzip", url("/gzip-cut")),
        _case("brotli", "http_br", url("/br")),
        _case("brotli that is wanted, and is none", "http_br", url("/")),
        _case("brotli that breaks off", "http_br", url("/br-cut")),
        _case("deflate", "http_deflate", url("/deflate")),
        _case("deflate in a frame", "http_deflate", url("/deflate-framed")),
        _case("identity", "http_identity", url("/")),
        _case("a body over the limit", "http_small", url("/")),
        _case("a body over the limit, and a match", "http_small_open", url("/")),
        _case("a body within the limit", "http_large_enough", url("/")),
        _case("gzip over the limit", "http_gzip_small", url("/gzip")),
        _case("chunks", "http_2xx", url("/chunked")),
        _case("chunks that break off", "http_2xx", url("/chunked-cut")),
        _case("a body that breaks off", "http_2xx", url("/cut")),
        _case("a body that breaks off, and a match", "http_open", url("/cut")),
        _case("an answer that does not come", "http_2xx", url("/silent"), patience=SHORT),
        _case("an answer that the module does not wait for", "http_hasty", url("/silent")),
        _case("a body that does not come", "http_2xx", url("/half"), patience=SHORT),
        _case("no answer at all", "http_2xx", url("/close")),
        _case("an answer that is not HTTP", "http_2xx", url("/garbage")),
        _case("a connection refused", "http_2xx", "http://127.0.0.1:1/"),
        _case("a connection that hangs", "http_2xx", f"http://{world.unreachable}/", patience=SHORT),
    )


def _credentials(world: World) -> tuple[Case, ...]:
    url = world.web.url
    inside = f"http://prober:correct%20horse@127.0.0.1:{world.web.port}/basic"
    return (
        _case("basic credentials", "http_basic", url("/basic")),
        _case("basic credentials from a file", "http_basic_file", url("/basic")),
        _case("basic credentials that are wrong", "http_basic_wrong", url("/basic")),
        _case("credentials in the target", "http_2xx", inside),
        _case("basic credentials behind a redirect", "http_basic", url("/basic-here")),
        _case("basic credentials behind a redirect to another port", "http_basic", url("/basic-beside")),
        _case("basic credentials behind a redirect to another host", "http_basic", url("/basic-elsewhere")),
        _case("basic credentials behind a redirect to a name", "http_basic", url("/basic-by-name")),
        _case(
            "basic credentials behind a redirect by name",
            "http_basic",
            world.web.url("/basic-by-name", host="localhost"),
        ),
        _case("a secret header", "http_key", url("/key")),
        _case("a secret header behind a redirect", "http_key", url("/key-here")),
        _case("a bearer token", "http_bearer", url("/bearer")),
        _case("other credentials", "http_authorization", url("/bearer")),
        _case("credentials in a file that is not there", "http_no_such_file", url("/bearer")),
        _case("a host header", "http_host", url("/tell")),
        _case("a host name asked for", "http_2xx", url("/tell"), hostname="shop.example"),
        _case("a name of its own for the client", "http_agent", url("/agent")),
    )


def _tls(world: World) -> tuple[Case, ...]:
    return (
        _case("TLS", "http_tls", world.secure.url("/")),
        _case("TLS by name", "http_tls", world.secure.url("/", host="localhost")),
        _case("an unknown authority", "http_2xx", world.secure.url("/")),
        _case("another authority", "http_tls", world.foreign.url("/")),
        _case("a certificate that has expired", "http_tls", world.expired.url("/")),
        _case("an expired certificate that is taken", "http_any_tls", world.expired.url("/")),
        _case("a certificate of another name", "http_tls", world.misnamed.url("/")),
        _case("a certificate of another name that is asked for", "http_tls_named", world.misnamed.url("/")),
        _case("a certificate of the host header's name", "http_tls_host", world.misnamed.url("/")),
        _case(
            "a certificate of the host name asked for", "http_tls", world.misnamed.url("/"), hostname="other.example"
        ),
        _case("a self-signed certificate", "http_tls", world.own.url("/", host="localhost")),
        _case("a self-signed certificate that is taken", "http_any_tls", world.own.url("/")),
        _case("a certificate whose names need escaping", "http_any_tls", world.strange.url("/")),
        _case("a client certificate that is wanted, and missing", "http_tls", world.demanding.url("/")),
        _case("a client certificate", "http_client_cert", world.demanding.url("/")),
        _case("TLS 1.2", "http_tls_1_2", world.secure.url("/")),
        _case("TLS 1.3 wanted of a server of 1.2", "http_tls_1_3", world.older.url("/")),
        _case("an authority in a file that is not there", "http_no_ca", world.secure.url("/")),
        _case("TLS where none is wanted", "http_not_ssl", world.secure.url("/")),
        _case("no TLS where none is wanted", "http_not_ssl", world.web.url("/")),
        _case("TLS where it is wanted", "http_ssl", world.secure.url("/")),
        _case("no TLS where it is wanted", "http_ssl", world.web.url("/")),
        _case("a redirect away from TLS", "http_tls", world.secure.url("/down")),
        _case("a redirect to TLS", "http_tls", world.web.url("/up")),
        _case("a redirect to TLS by name", "http_tls", world.web.url("/up-by-name")),
        _case("a handshake that hangs", "http_tls", f"https://{world.deaf.address}/", patience=SHORT),
        _case("TLS with a server that has none", "http_tls", f"https://{world.short.address}/"),
        _case("HTTP/2", "http_tls", f"https://127.0.0.1:{world.two.port}/"),
        _case("HTTP/2 with a stated length", "http_tls", f"https://127.0.0.1:{world.two.port}/long"),
        _case("HTTP/2 where it is wanted", "http_2_0", f"https://127.0.0.1:{world.two.port}/"),
        _case("HTTP/2 with a status that fails", "http_tls", f"https://127.0.0.1:{world.two.port}/gone"),
        _case("HTTP/2 without a body", "http_tls", f"https://127.0.0.1:{world.two.port}/bare"),
        _case("HTTP/2 that is reset", "http_tls", f"https://127.0.0.1:{world.two.port}/reset"),
        _case("HTTP/2 that redirects", "http_tls", f"https://127.0.0.1:{world.two.port}/redirect"),
        _case("HTTP/2 where only 1.1 is there", "http_2_0", world.secure.url("/")),
    )


def _ways(world: World) -> tuple[Case, ...]:
    six = f"http://[::1]:{world.six.port}/"
    return (
        _case("a proxy", "http_proxied", world.web.url("/")),
        _case("a proxy, and a redirect behind it", "http_proxied", world.web.url("/relative")),
        _case("a proxy that looks up the name", "http_proxied_name", world.web.url("/")),
        _case("a proxy that does not reach the host", "http_proxied", "http://127.0.0.2:9/"),
        _case("a host that needs no proxy", "http_not_proxied", world.web.url("/")),
        _case("a tunnel", "http_tunneled", world.secure.url("/")),
        _case("a tunnel that is refused", "http_tunneled", "https://127.0.0.2:9/"),
        _case("a proxy that is not there", "http_dead_proxy", world.web.url("/")),
        _case("a proxy for a tunnel that is not there", "http_dead_proxy_tls", world.secure.url("/")),
        _case("IPv6", "http_any_ip", six),
        _case("IPv6 where IPv4 is preferred", "http_2xx", six),
        _case("IPv6 where only IPv4 will do", "http_ip4_only", six),
        _case("IPv4 where only IPv6 will do", "http_ip6_only", world.web.url("/")),
        _case("IPv4 where IPv6 is preferred", "http_any_ip", world.web.url("/", host="localhost")),
    )


def _tcp(world: World) -> tuple[Case, ...]:
    secure = f"127.0.0.1:{world.secure.port}"
    return (
        _case("TCP", "tcp_connect", world.echo.address),
        _case("TCP over IPv6", "tcp_connect", world.six_echo.address),
        _case("TCP over IPv6 where only IPv4 will do", "tcp_ip4_only", world.six_echo.address),
        _case("TCP refused", "tcp_connect", "127.0.0.1:1"),
        _case("TCP that hangs", "tcp_connect", world.unreachable, patience=SHORT),
        _case("TCP without a port", "tcp_connect", "127.0.0.1"),
        _case("TCP from an address of ours", "tcp_from_here", world.echo.address),
        _case("a banner", "ssh", world.ssh.address),
        _case("a banner that does not come", "ssh", world.deaf.address, patience=SHORT),
        _case("another banner, and the end", "ssh", world.short.address),
        _case("a line without an end", "ssh", world.endless.address),
        _case("what a banner tells", "ssh_extract", world.ssh.address),
        _case("a conversation", "irc", world.irc.address),
        _case("STARTTLS", "smtp_starttls", world.mail.address),
        _case("STARTTLS that is refused", "smtp_starttls", world.poor_mail.address, patience=SHORT),
        _case("bytes", "echo_bytes", world.echo.address),
        _case("other bytes", "echo_other", world.echo.address),
        _case("fewer bytes", "echo_more", world.echo.address),
        _case("TLS over TCP", "tcp_tls", secure),
        _case("TLS over TCP of an unknown authority", "tcp_tls_public", secure),
        _case("TLS over TCP, whoever it is", "tcp_any_tls", secure),
        _case("TLS over TCP by another name", "tcp_tls", f"127.0.0.1:{world.misnamed.port}", hostname="other.example"),
        _case("a banner over TLS", "pop3s", world.pop.address),
        _case("a banner over TLS of a self-signed server", "pop3s", world.own_pop.address),
    )


def _dns(world: World) -> tuple[Case, ...]:
    names = (
        ("DNS", "dns_a"),
        ("DNS over TCP", "dns_a_tcp"),
        ("the serial of a zone", "dns_soa"),
        ("DNS of any type", "dns_any"),
        ("texts", "dns_txt"),
        ("mail servers", "dns_mx"),
        ("a name that is not there", "dns_gone"),
        ("a name that must not be there", "dns_gone_is_good"),
        ("a server that fails", "dns_broken"),
        ("an answer that cannot be read", "dns_garbage"),
        ("a question without recursion", "dns_recursion"),
        ("an answer that must not match, and does", "dns_matches"),
        ("an answer that must not match, and does not", "dns_matches_not"),
        ("fail_if_all_match, and all do", "dns_all_match"),
        ("fail_if_all_match, and one does not", "dns_not_all_match"),
        ("an answer that must match, and one does not", "dns_not_matches"),
        ("an answer of which one must match, and none does", "dns_none_matches"),
        ("an answer of which one must match, and does", "dns_some_match"),
        ("an answer without records", "dns_empty_answer"),
        ("all three sections", "dns_sections"),
        ("the additional section", "dns_bad_additional"),
    )
    return (
        *(_case(title, module, world.dns.address) for title, module in names),
        _case("DNS over TLS", "dns_a_tls", world.secret_dns.address),
        _case("DNS over TLS of another name", "dns_a_tls", world.misnamed_dns.address),
        _case("DNS over TLS where nobody encrypts", "dns_a_tls", world.short.address),
        _case("DNS that keeps silent", "dns_silent", world.dns.address, patience=SHORT),
        _case("DNS where nobody listens", "dns_a", "127.0.0.1:1"),
        _case("DNS over TCP where nobody listens", "dns_a_tcp", "127.0.0.1:1"),
    )
