from __future__ import annotations

import pytest

from monitor.cli.doctor import Grade, load_finding


@pytest.mark.parametrize(("load", "processors", "grade"), [(3.9, 2, Grade.GOOD), (4.1, 2, Grade.WARNING)])
def test_a_machine_with_more_work_than_processors_is_warned_of(load, processors, grade):
    found = load_finding(load, processors)
    assert found.grade is grade
    assert found.text.startswith(f"load {load} on 2 processors")


def test_one_processor_is_told_of_as_one():
    assert load_finding(0.5, 1).text == "load 0.5 on 1 processor"
