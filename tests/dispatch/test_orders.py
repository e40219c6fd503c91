from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.dispatch.messages import Kind, Order
from monitor.dispatch.orders import IncomingOrders, OutgoingOrders
from monitor.execution.wire import Codec
from tests.builders import a_check, an_assignment


class Wire:
    """Both ends of a channel; notes the kinds of the frames."""

    def __init__(self, *, remembered: bool) -> None:
        self.kinds: list[Kind] = []
        self._out = OutgoingOrders(Codec(), remembered=remembered)
        self._in = IncomingOrders(Codec(), remembered=remembered)

    def pass_on(self, order: Order) -> Order:
        for kind, value in self._out.frames(order):
            self.kinds.append(kind)
            if kind is Kind.ORDER:
                return self._in.take(memoryview(value))
            self._in.learn(memoryview(value))
        raise AssertionError


@pytest.mark.parametrize("remembered", [True, False])
def test_an_order_arrives_as_it_was_sent(remembered):
    wire = Wire(remembered=remembered)
    order = Order(assignment=an_assignment(first_party=("shop.localhost",), traceparent="00-1-2-01"), source="a.yaml")
    assert wire.pass_on(order) == order
    again = replace(order, assignment=replace(order.assignment, run_id="another"))
    assert wire.pass_on(again) == again


def test_a_check_travels_once_until_it_changes():
    wire = Wire(remembered=True)
    one = Order(assignment=an_assignment(), source="a.yaml")
    other = Order(assignment=an_assignment(check=a_check(name="other@shop/desktop")), source="a.yaml")
    for order in (one, other, one, other):
        assert wire.pass_on(order) == order
    assert wire.kinds.count(Kind.TERMS) == 2
    shorter = replace(one.assignment.check, deadline=one.assignment.check.deadline / 2)
    changed = replace(one, assignment=replace(one.assignment, check=shorter))
    assert wire.pass_on(changed) == changed
    assert wire.pass_on(one) == one
    moved = replace(one, source="b.yaml")
    assert wire.pass_on(moved) == moved
    assert wire.kinds.count(Kind.TERMS) == 5


def test_where_code_of_journeys_runs_nothing_of_a_check_is_kept():
    wire = Wire(remembered=False)
    order = Order(assignment=an_assignment())
    for _ in range(3):
        wire.pass_on(order)
    assert wire.kinds == [Kind.TERMS, Kind.ORDER] * 3
    assert not wire._in._terms
