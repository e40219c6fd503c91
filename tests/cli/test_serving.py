"""The address on which the monitor listens."""

from __future__ import annotations

import socket

import pytest

from monitor.cli.serving import bound
from monitor.config.settings import WebSettings
from monitor.service import StartupError


def test_a_port_that_is_taken_makes_one_think_of_another_monitor():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartupError, match="in use; is another monitor running"):
            bound(WebSettings(port=taken.getsockname()[1]))


def test_an_address_of_another_machine_makes_one_think_of_no_other_monitor():
    with pytest.raises(StartupError, match="cannot listen on 192") as refused:
        bound(WebSettings(host="192.0.2.1", port=9488))
    assert "another monitor" not in str(refused.value)
    assert "choose another address" in str(refused.value)
