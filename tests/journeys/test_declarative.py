from __future__ import annotations

import datetime as dt

import pytest

from monitor.domain.clock import SystemClock
from monitor.domain.evidence import ProberFault
from monitor.domain.journey import ProbeKind
from monitor.execution.run import execute
from monitor.journeys.catalogue import catalogue
from monitor.journeys.declarative import read_journey
from monitor.journeys.files import UnusableFileError, load
from monitor.reading.problem import ReadingError
from tests.builders import an_assignment
from tests.execution.driven import DrivenProbe

ORDER = """
name: order
title: Order over the API
budget: 5s
parameters: [email]
steps:
  - title: Open the login page
    request: {url: /login}
    expect:
      status: 200
      text: "<form>"
    take:
      csrf: {body: 'value="([^"]+)"'}
  - title: Place the order
    name: place-order
    capability: orders
    budget: 2s
    effects: true
    request:
      method: POST
      url: /orders
      json: {user: "${email}", csrf: "${csrf}"}
    expect: {status: 201}
"""

RE2 = "they are RE2's, without look-around and back-references"
PATH = 'write order.items[0].id, or ["odd key"] in brackets'


def test_a_file_is_a_journey_like_any_other(write):
    journey = read_journey(write("order.yaml", ORDER))
    assert (journey.name, journey.probe, journey.declarative) == ("order", ProbeKind.HTTP, True)
    assert journey.parameters == ("email",)
    assert journey.budget == dt.timedelta(seconds=5)
    first, second = journey.steps
    assert (first.name, first.effects) == ("open-the-login-page", False)
    assert (second.name, second.capability, second.effects) == ("place-order", "orders", True)
    assert second.budget == dt.timedelta(seconds=2)


def problems_of(path):
    with pytest.raises(ReadingError) as caught:
        read_journey(path)
    return [f"{problem.line}:{problem.column}: {problem.path}: {problem.message}" for problem in caught.value.problems]


def test_everything_that_is_wrong_is_told_at_once_with_its_place(write):
    path = write(
        "order.yaml",
        """\
        name: Order
        title: Order
        retries: 3
        steps:
          - title: Open
            request: {url: login, metod: GET}
            expect:
              status: 99
              matches: "("
              json: {order..id: 1}
              within: soon
          - title: Wait
            request: {url: /orders}
            receive: {webhook: paid, within: 5s}
          - title: Take
            request: {url: /a, json: {}, form: {a: 1}}
            take: {Order: {json: id}, token: {json: a, header: b}}
        """,
    )
    assert problems_of(path) == [
        "1:7: name: 'Order' is not in kebab-case; write add-to-basket",
        "3:1: retries: unknown key",
        "6:20: steps[0].request.url: 'login' must begin with / for a path of the target, or with https://",
        "6:27: steps[0].request.metod: unknown key; did you mean 'method'?",
        "8:15: steps[0].expect.status: must be at least 100",
        f"9:16: steps[0].expect.matches: not a regular expression: missing ): (; {RE2}",
        f"10:14: steps[0].expect.json.order..id: 'order..id' is not a path into JSON; {PATH}",
        "11:15: steps[0].expect.within: 'soon' is not a duration; write 30s, 5m or 1h",
        "12:5: steps[1]: must have either 'request' or 'receive'",
        "16:14: steps[2].request: gives more than one of 'json', 'form' and 'body'; keep one",
        "17:12: steps[2].take.Order: 'Order' cannot name a value; write small letters, digits and _, such as order_id",
        "17:38: steps[2].take.token: must have exactly one of 'json', 'header', 'cookie' and 'body'",
    ]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (
            "request: {url: '/orders/${order}'}",
            "steps[0].request.url: '${order}' is not known here; name a parameter, take it in an earlier step, or",
        ),
        ("request: {url: '/${mail}'}", "'${mail}' is not known here; did you mean 'email'?"),
        ("request: {url: /a}\n    take: {email: {header: x}}", "there is a value 'email' already"),
        ("receive: {webhook: paid, within: 5s}", "no earlier step opens a webhook 'paid'; add 'webhook: paid'"),
        ("request: {url: /a}\n    effects: true\n    until: {within: 5s}", "a step with effects is sent once only"),
        ("receive: {webhook: p, within: 5s}\n    until: {within: 5s}", "waited for by 'receive: within'"),
        ("receive: {webhook: p, within: 5s}\n    expect: {status: 200}", "'status' cannot be expected of a webhook"),
        ("receive: {webhook: p, within: 5s}\n    take: {a: {cookie: b}}", "a webhook brings no cookies"),
        ("request: {url: /a}\n    webhook: Paid", "cannot name a value"),
        ("budget: 1s", "must have either 'request' or 'receive'"),
        ("request: {url: /a}\n    expect: {json: {a: {}}}", "must say what is expected"),
        ("request: {url: /a, headers: {'x y': b}}", "'x y' is not the name of a header"),
        (r"request: {url: /a}" + "\n    expect: {matches: '(?=a)'}", "without look-around"),
        ("request: {url: /a}\n    name: email", "step 'email' and a parameter have one name"),
        ("request: {url: /a}\n  - title: A step\n    request: {url: /b}", "step 1 is named 'a-step' as well"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(write, step, problem):
    text = f"name: j\ntitle: J\nparameters: [email]\nsteps:\n  - title: A step\n    {step}\n"
    told = problems_of(write("j.yaml", text))
    assert len(told) == 1
    assert problem in told[0]


async def test_declarative_journeys_are_discovered_beside_the_others(folder, write):
    write("order.yaml", ORDER)
    write("browse.py", good="browse")
    write("broken.yaml", "name: x\ntitle: X\nstps: []\n")
    write("bomb.yml", "a: &a [x, x]\nb: &b [*a, *a]\nname: [" + "*b, " * 30000 + "]\n")
    write("copy.yaml", ORDER.replace("name: order", "name: browse"))
    found = await catalogue(folder)
    assert [journey.name for journey in found.journeys] == ["order"]
    (journey,) = found.journeys
    assert (journey.declarative, journey.source) == (True, "checks/order.yaml")
    told = {}
    for problem in found.problems:
        told.setdefault(problem.source, []).append((problem.line, problem.message))
    assert (3, "stps: unknown key; did you mean 'steps'?") in told["checks/broken.yaml"]
    assert "more than" in told["checks/bomb.yml"][0][1]
    assert "checks/copy.yaml" in told["checks/browse.py"][0][1]
    assert "checks/browse.py" in told["checks/copy.yaml"][0][1]


def test_a_worker_loads_one_journey_by_its_name(folder, write):
    write("aaa.py", "raise RuntimeError('must not be imported')")
    write("order.yaml", ORDER)
    write("browse.py", good="browse")
    assert load(folder, "order", "checks/order.yaml").declarative
    journey = load(folder, "browse", "checks/browse.py")
    assert journey.source == "checks/browse.py"
    assert load(folder, "browse").name == "browse"
    with pytest.raises(UnusableFileError, match="RuntimeError"):
        load(folder, "nothing", "checks/aaa.py")
    with pytest.raises(UnusableFileError, match="there is no journey 'nothing'"):
        load(folder, "nothing", "checks/order.yaml")


async def test_a_defect_of_a_journey_is_named_with_its_line(folder, write):
    write(
        "reads.py",
        """
        from monitor.journeys import Journey, step

        @step("Read")
        async def read(http: Http):
            return {}["id"]

        journey = Journey(name="reads", title="Read", steps=(read,))
        """,
    )
    probe = DrivenProbe(kind=ProbeKind.HTTP)
    evidence = await execute(an_assignment(), load(folder, "reads"), probe, clock=SystemClock())
    assert evidence.last.prober_fault is ProberFault.SCRIPT
    assert evidence.last.prober_fault_text == "KeyError: 'id' at checks/reads.py:7"
