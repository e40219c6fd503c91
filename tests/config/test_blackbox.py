from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from ssl import TLSVersion

import pytest

from monitor.config.blackbox import BUILT_IN, built_in_modules, modules_from
from monitor.config.blackbox_parts import accepts
from monitor.config.settings import Settings
from monitor.probes.blackbox.modules import DnsModule, HttpModule, Module, TcpModule

Load = Callable[..., Settings]

SOUND = """\
location: office
targets:
  shop: {base_url: "https://www.example.com"}
checks:
  - {journey: home, target: shop, every: 5m}
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Module]:
    """Makes the one module that a text describes."""

    def make(text: str) -> Module:
        file = tmp_path / "blackbox.yml"
        file.write_text("modules:\n  m:\n" + "".join(f"    {line}\n" for line in text.strip().splitlines()))
        modules, problems = modules_from(file)
        assert problems == []
        return modules["m"]

    return make


@pytest.fixture
def wrong(tmp_path: Path) -> Callable[[str], list[str]]:
    """Returns what is wrong with one module, without the name of its file."""

    def problems_of(text: str) -> list[str]:
        file = tmp_path / "blackbox.yml"
        file.write_text("modules:\n  m:\n" + "".join(f"    {line}\n" for line in text.strip().splitlines()))
        modules, problems = modules_from(file)
        assert modules == {}
        return [str(problem).removeprefix(f"{file}:") for problem in sorted(problems)]

    return problems_of


def test_the_usual_modules_are_there_without_a_file(loaded: Load):
    probe = loaded(SOUND).probe
    assert probe.enabled
    assert set(probe.modules) == set(built_in_modules()) >= {"http_2xx", "http_post_2xx", "tcp_connect", "ssh_banner"}
    assert "http_2xx" in BUILT_IN


def test_a_file_of_modules_takes_the_place_of_the_usual_ones(loaded: Load, tmp_path: Path):
    (tmp_path / "blackbox.yml").write_text("modules: {mine: {prober: tcp}}\n")
    probe = loaded(f"{SOUND}probe: {{modules: blackbox.yml, at_once: 3}}\n").probe
    assert (set(probe.modules), probe.at_once) == ({"mine"}, 3)
    assert loaded(f"{SOUND}probe: {{enabled: false}}\n").probe.enabled is False


def test_problems_of_the_file_are_told_with_those_of_the_configuration(problems_of, tmp_path: Path):
    (tmp_path / "blackbox.yml").write_text("modules:\n  mine:\n    prober: htp\n")
    found = problems_of(f"{SOUND}probe: {{modules: blackbox.yml}}\nweb: {{listen: nowhere}}\n")
    assert found == [
        "blackbox.yml:3:13: modules.mine.prober: 'htp' is not one of http, tcp, dns",
        "monitor.yaml:7:15: web.listen: 'nowhere' has no port; write 127.0.0.1:9488",
    ]


def test_a_file_that_is_not_there_is_one_problem(problems_of):
    assert problems_of(f"{SOUND}probe: {{modules: gone.yml}}\n") == [
        "gone.yml:1:1: cannot be read: No such file or directory"
    ]


def test_passwords_of_modules_are_masked_wherever_the_monitor_speaks(loaded: Load, tmp_path: Path):
    text = "modules: {mine: {prober: http, http: {basic_auth: {username: u, password: correct-horse}}}}\n"
    (tmp_path / "blackbox.yml").write_text(text)
    settings = loaded(f"{SOUND}probe: {{modules: blackbox.yml}}\n")
    assert "correct-horse" in {secret.reveal() for secret in settings.secrets}
    assert "correct-horse" not in repr(settings)


def test_every_option_of_http_is_understood(made):
    module = made("""
prober: http
timeout: 1m30s
http:
  valid_status_codes: [200, 404]
  valid_http_versions: ["HTTP/1.1", "HTTP/2.0"]
  preferred_ip_protocol: ip4
  ip_protocol_fallback: false
  skip_resolve_phase_with_proxy: true
  follow_redirects: false
  fail_if_ssl: true
  fail_if_not_ssl: true
  method: PUT
  headers: {Accept-Encoding: "gzip;q=0.5, br"}
  http_headers: {X-More: {values: [a], secrets: [b-secret]}}
  fail_if_body_matches_regexp: ["a"]
  fail_if_body_not_matches_regexp: ["b"]
  fail_if_header_matches: [{header: X, regexp: c, allow_missing: true}]
  fail_if_header_not_matches: [{header: Y, regexp: d}]
  body: hello
  compression: gzip
  body_size_limit: 2MB
  authorization: {type: Token, credentials: xyz}
  tls_config: {insecure_skip_verify: true, server_name: n, min_version: TLS10, max_version: TLS13}
  enable_http2: false
  enable_http3: false
  proxy_url: "http://robot:word@proxy.example:3128"
  no_proxy: "a.example, .b.example"
  proxy_connect_header: {X-Tunnel: [one]}
  proxy_from_environment: false
""")
    options = module.options
    assert isinstance(options, HttpModule)
    assert module.timeout == 90
    assert (options.valid_status_codes, options.method, options.body) == ((200, 404), "PUT", b"hello")
    assert (options.preferred, options.fallback, options.resolve_with_proxy) == ("ip4", False, False)
    assert (options.follow_redirects, options.http2, options.body_size_limit) == (False, False, 2 << 20)
    assert options.credentials is not None
    assert options.credentials.reveal() == "Token xyz"
    assert options.own_headers is not None
    assert options.own_headers() == (("X-More", "a"), ("X-More", "b-secret"))
    assert (options.tls.verify, options.tls.min_version) == (False, TLSVersion.TLSv1)
    assert options.proxy is not None
    assert (options.proxy.host, options.proxy.port) == ("proxy.example", 3128)
    assert options.proxy.bypass[:2] == ("a.example", ".b.example")
    assert options.header_matches[0].allow_missing
    assert {"b-secret", "xyz", "word"} <= {secret.reveal() for secret in module.secrets}


def test_every_option_of_tcp_is_understood(made):
    module = made("""
prober: tcp
tcp:
  preferred_ip_protocol: ip6
  ip_protocol_fallback: true
  source_ip_address: 127.0.0.1
  query_response:
  - send: !!binary AAAACATSFi8=
  - expect_bytes: S
  - starttls: true
  - expect: "^x (.*)"
    labels: [{name: rest, value: "${1}"}]
  tls: true
  tls_config: {insecure_skip_verify: true}
""")
    options = module.options
    assert isinstance(options, TcpModule)
    assert options.turns[0].send == bytes.fromhex("0000000804d2162f")
    assert options.turns[1].expect_bytes == b"S"
    assert options.turns[3].labels == (("rest", "${1}"),)
    assert options.tls is not None


def test_every_option_of_dns_is_understood(made):
    module = made("""
prober: dns
dns:
  transport_protocol: tcp
  dns_over_tls: true
  source_ip_address: 127.0.0.1
  preferred_ip_protocol: ip4
  query_name: example.com
  query_type: MX
  query_class: CH
  recursion_desired: false
  valid_rcodes: [NOERROR, NXDOMAIN]
  validate_answer_rrs: {fail_if_matches_regexp: [a], fail_if_all_match_regexp: [b]}
  validate_authority_rrs: {fail_if_not_matches_regexp: [c]}
  validate_additional_rrs: {fail_if_none_matches_regexp: [d]}
""")
    options = module.options
    assert isinstance(options, DnsModule)
    assert (options.query_type, options.query_class, options.recursion) == ("MX", "CH", False)
    assert options.valid_rcodes == ("NOERROR", "NXDOMAIN")
    assert options.additional.fail_if_none_matches[0].text == "d"


ELSEWHERE = "remove the module here, and keep the blackbox exporter for it"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("prober: icmp", "3:13: modules.m.prober", f"the prober 'icmp' is not supported; {ELSEWHERE}"),
        ("prober: grpc", "3:13: modules.m.prober", f"the prober 'grpc' is not supported; {ELSEWHERE}"),
        ("timeout: 5s", "3:5: modules.m", "'prober' is missing"),
        ("prober: dns", "3:5: modules.m", "needs 'dns' with at least 'query_name'"),
        (
            "prober: tcp\nhttp: {}",
            "3:5: modules.m",
            "has options of 'http', which the prober 'tcp' does not look at; remove them",
        ),
        (
            "prober: http\nhttp: {valid_status_code: [200]}",
            "4:12: modules.m.http.valid_status_code",
            "unknown key; did you mean 'valid_status_codes'?",
        ),
        (
            "prober: http\nhttp: {valid_http_versions: [HTTP/2]}",
            "4:34: modules.m.http.valid_http_versions[0]",
            "'HTTP/2' is not one of HTTP/1.0, HTTP/1.1, HTTP/2.0; did you mean 'HTTP/2.0'?",
        ),
        (
            "prober: http\nhttp: {enable_http3: true}",
            "4:26: modules.m.http.enable_http3",
            f"HTTP/3 is not supported; {ELSEWHERE}",
        ),
        (
            "prober: http\nhttp: {proxy_url: 'socks5://u:hidden-word@h:1'}",
            "4:23: modules.m.http.proxy_url",
            "a proxy is known by http://host:port only; https and socks are not supported",
        ),
        (
            "prober: http\nhttp: {basic_auth: {username: a}, bearer_token: b}",
            "4:11: modules.m.http",
            "has both 'basic_auth' and 'bearer_token'; keep one",
        ),
        (
            "prober: http\nhttp: {compression: br, headers: {accept-encoding: gzip}}",
            "4:11: modules.m.http",
            "wants the compression 'br' but does not ask for it in the header Accept-Encoding",
        ),
        (
            "prober: http\nhttp: {body_size_limit: 10}",
            "4:29: modules.m.http.body_size_limit",
            "'10' is not a size; write 10MB or 512KB, counted in steps of 1024",
        ),
        (
            'prober: http\nhttp: {headers: {X: "a\\r\\nb"}}',
            "4:25: modules.m.http.headers.X",
            "the value of a header must stand on one line",
        ),
        (
            "prober: dns\ndns: {query_name: x, dns_over_tls: true}",
            "4:10: modules.m.dns",
            "'dns_over_tls' needs 'transport_protocol: tcp'",
        ),
        (
            "prober: tcp\ntcp: {query_response: [{expect: a, expect_bytes: b}]}",
            "4:28: modules.m.tcp.query_response[0]",
            "has both 'expect' and 'expect_bytes'; keep one",
        ),
        (
            "prober: tcp\ntcp: {tls_config: {key: PEM}}",
            "4:29: modules.m.tcp.tls_config.key",
            "put the key into a file and name it in 'key_file'",
        ),
        (
            "prober: tcp\ntcp: {query_response: [{send: !!binary 'a=b'}]}",
            "4:35: modules.m.tcp.query_response[0].send",
            "not Base64; encode the bytes anew",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_place_and_a_remedy(wrong, text: str, place: str, message: str):
    assert f"{place}: {message}" in wrong(text)
    assert "hidden-word" not in "".join(wrong(text))


def test_a_pattern_that_is_none_is_refused_with_the_reason(wrong):
    (found,) = wrong('prober: http\nhttp: {fail_if_body_matches_regexp: ["(?=x)"]}')
    assert found.startswith("4:42: modules.m.http.fail_if_body_matches_regexp[0]: not a regular expression of RE2")


@pytest.mark.parametrize(
    ("encoding", "header", "accepted"),
    [
        ("gzip", "gzip", True),
        ("gzip", "br, gzip;q=0.1", True),
        ("gzip", "gzip;q=0", False),
        ("br", "*", True),
        ("br", "gzip;q=1, *;q=0", False),
        ("br", "gzip", False),
        ("br", "br;q=x", False),
    ],
)
def test_a_compression_must_be_asked_for_where_the_header_says_what_is(encoding: str, header: str, accepted: object):
    assert accepts(encoding, header) is accepted
