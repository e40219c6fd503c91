from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.config.loading import ConfigurationError, load
from monitor.config.settings import Settings
from monitor.domain.secret import Redactor, Secret

Load = Callable[..., Settings]

CANARY = "c4n4ry-S3CR3T"
TEXT = """\
location: office
targets:
  shop:
    base_url: https://www.example.com
  guarded:
    base_url: https://guarded.example.com
    headers:
      Authorization: Bearer ${TOKEN}
      X-Synthetic: faultline
checks:
  - journey: home
    target: shop
  - journey: login
    target: shop
    values:
      email: ada@example.com
      quantity: 2
    secrets:
      password: ${PASSWORD}
      code:
        file: code.txt
  - journey: api
    target: guarded
"""


def the_reasons(settings: Settings) -> dict[str, str]:
    return {refused.name: refused.reason for refused in settings.refused}


def test_secrets_come_from_the_environment_and_from_files(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456\n")
    settings = loaded(TEXT, {"PASSWORD": CANARY, "TOKEN": "t0k3n"})
    values = dict(settings.checks[1].values)
    assert values["email"] == "ada@example.com"
    assert values["quantity"] == "2"
    assert isinstance(values["password"], Secret)
    assert values["password"].reveal() == CANARY
    assert isinstance(values["code"], Secret)
    assert values["code"].reveal() == "123456"
    headers = dict(settings.checks[2].target.headers)
    assert isinstance(headers["Authorization"], Secret)
    assert headers["Authorization"].reveal() == "Bearer t0k3n"
    assert headers["X-Synthetic"] == "faultline"


def test_every_secret_and_each_of_its_parts_is_known_to_the_redactor(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456\n")
    redactor = Redactor(loaded(TEXT, {"PASSWORD": CANARY, "TOKEN": "t0k3n-alone"}).secrets)
    assert redactor.mask(f"{CANARY} 123456 t0k3n-alone") == "••• ••• •••"


def test_a_missing_secret_refuses_its_own_check_and_no_other(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456")
    settings = loaded(TEXT, {"TOKEN": "x"})
    assert [check.name for check in settings.checks] == ["home@shop/desktop", "api@guarded/desktop"]
    assert the_reasons(settings) == {
        "login@shop/desktop": "password: the environment variable PASSWORD is not set; set it before the start",
    }


def test_a_missing_header_refuses_every_check_of_its_target(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456")
    settings = loaded(TEXT, {"PASSWORD": CANARY})
    assert the_reasons(settings) == {
        "api@guarded/desktop": "target guarded: Authorization: the environment variable TOKEN is not set; "
        "set it before the start",
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty; give it a value"),
        ("  ", "is empty; give it a value"),
        (f"{CANARY}\r", "holds a carriage return; save it without Windows line endings"),
        (f"{CANARY}\0", "holds a NUL character; give it a text"),
    ],
)
def test_a_variable_that_is_empty_or_damaged_refuses_the_check(loaded: Load, tmp_path: Path, value: str, reason: str):
    (tmp_path / "code.txt").write_text("123456")
    settings = loaded(TEXT, {"PASSWORD": value, "TOKEN": "x"})
    assert the_reasons(settings) == {"login@shop/desktop": f"password: the environment variable PASSWORD {reason}"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty; give it a value"),
        (b"\n", "is empty; give it a value"),
        (b"123456\r\n", "holds a carriage return; save it without Windows line endings"),
        (b"\xe9t\xe9", "is not UTF-8 text; save it as such"),
        (b"x" * 70_000, "is larger than 64 KiB; name a file that holds only the secret"),
    ],
)
def test_a_file_that_is_missing_empty_or_damaged_refuses_the_check(
    loaded: Load, tmp_path: Path, content: bytes | None, reason: str
):
    if content is not None:
        (tmp_path / "code.txt").write_bytes(content)
    settings = loaded(TEXT, {"PASSWORD": CANARY, "TOKEN": "x"})
    assert the_reasons(settings) == {"login@shop/desktop": f"code: the file 'code.txt' {reason}"}


def test_a_folder_in_place_of_a_secret_file_refuses_the_check(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").mkdir()
    assert "is not a file" in the_reasons(loaded(TEXT, {"PASSWORD": CANARY, "TOKEN": "x"}))["login@shop/desktop"]


def test_a_header_of_two_lines_refuses_its_checks_and_shows_nothing(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456")
    reason = the_reasons(loaded(TEXT, {"PASSWORD": CANARY, "TOKEN": f"{CANARY}\nX-Evil: 1"}))["api@guarded/desktop"]
    assert "a header cannot" in reason
    assert CANARY not in reason


def test_an_authority_that_cannot_be_read_refuses_the_checks_of_its_target(loaded: Load, tmp_path: Path):
    text = TEXT.replace("    base_url: https://guarded", "    extra_ca: ca.pem\n    base_url: https://guarded")
    (tmp_path / "code.txt").write_text("123456")
    absent = loaded(text, {"PASSWORD": CANARY, "TOKEN": "x"})
    (tmp_path / "ca.pem").write_text("no certificate")
    wrong = loaded(text, {"PASSWORD": CANARY, "TOKEN": "x"})
    assert "extra_ca: the file 'ca.pem' cannot be read" in the_reasons(absent)["api@guarded/desktop"]
    assert "extra_ca: the file 'ca.pem' holds no PEM certificates" in the_reasons(wrong)["api@guarded/desktop"]


def test_dollar_dollar_brace_is_the_text_itself(loaded: Load):
    text = TEXT.split("  - journey: login", maxsplit=1)[0] + "    values: {template: '$${NAME}'}\n"
    assert loaded(text, {"TOKEN": "x"}).checks[0].values == (("template", "${NAME}"),)


def test_no_secret_shows_in_settings_logs_or_errors(
    loaded: Load, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "code.txt").write_text(f"{CANARY}-code")
    text = TEXT + (
        "web: {username: me, password: '${WEB}'}\n"
        "storage: {url: 'postgresql://me:${DB}@db.example/x'}\n"
        "profiles: {proxied: {proxy: {url: 'https://proxy.example', username: me, password: '${PROXY}'}}}\n"
    )
    environ = {name: f"{CANARY}-{name}" for name in ("PASSWORD", "TOKEN", "WEB", "DB", "PROXY")}
    settings = loaded(text, environ)
    shown = [repr(settings), str(settings), *(f"{secret} {secret!r}" for secret in settings.secrets)]
    for broken in ("location: [", TEXT + "storage: {url: 'ftp://me:${DB}@x'}\n", TEXT.replace("shop", "Shop", 1)):
        (tmp_path / "broken.yaml").write_text(broken)
        with pytest.raises(ConfigurationError) as raised:
            load(tmp_path / "broken.yaml", environ)
        shown += [repr(raised.value), str(raised.value), "".join(traceback.format_exception(raised.value))]
    printed = capsys.readouterr()
    assert CANARY not in "".join([*shown, caplog.text, printed.out, printed.err])


def test_a_secret_in_the_file_itself_is_refused_without_being_repeated(loaded: Load):
    for text in (
        TEXT.replace("${PASSWORD}", CANARY),
        TEXT + f"web: {{username: me, password: {CANARY}}}\n",
        TEXT + f"storage: {{url: 'postgresql://me:{CANARY}@db.example/x'}}\n",
        TEXT.replace("https://www.", f"https://me:{CANARY}@www."),
    ):
        with pytest.raises(ConfigurationError) as raised:
            loaded(text, {"TOKEN": "x", "PASSWORD": "x"})
        assert CANARY not in str(raised.value)
        assert CANARY not in repr(raised.value)


def test_a_second_account_has_secrets_of_its_own(loaded: Load, tmp_path: Path):
    (tmp_path / "code.txt").write_text("123456\n")
    account = '    second_account: {values: {email: eve}, secrets: {password: "${SECOND}"}}\n'
    text = TEXT.replace("    secrets:\n", f"{account}    secrets:\n", 1)
    environ = {"PASSWORD": CANARY, "TOKEN": "t0k3n-alone"}
    refused = loaded(text, environ).refused
    assert any("second_account" in each.reason and "SECOND" in each.reason for each in refused), refused
    settings = loaded(text, {**environ, "SECOND": "second-4711"})
    check = next(one for one in settings.checks if one.second_account)
    assert dict(check.second_account)["email"] == "eve"
    assert "second-4711" in {secret.reveal() for secret in settings.secrets}
    assert "second-4711" not in f"{check!r} {settings!r}"
