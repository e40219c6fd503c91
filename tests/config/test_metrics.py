from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from monitor.config.settings import MetricsDetail, MetricsSettings, Settings

Problems = Callable[..., list[str]]
TEXT = """\
location: office
targets: {shop: {base_url: "https://www.example.com"}}
business: {currency: EUR}
metrics: {detail: full, series_limit: 20000}
defaults: {process: buying, satisfied_within: 3s, deadline: 30s}
checks:
  - {journey: checkout, customers_per_hour: 120, value_per_customer: 48.5}
  - {journey: search, process: finding, satisfied_within: 800ms}
  - {journey: api, budget: 5s}
"""
BARE = """\
location: office
targets: {shop: {base_url: "https://www.example.com"}}
checks:
  - {journey: checkout}
  - {journey: api, budget: 5s}
"""


def test_what_the_business_says_reaches_the_checks(loaded: Callable[..., Settings]):
    settings = loaded(TEXT)
    checkout, search, api = settings.checks
    assert settings.currency == "EUR"
    assert settings.metrics == MetricsSettings(detail=MetricsDetail.FULL, series_limit=20_000)
    assert (checkout.process, checkout.customers_per_hour, checkout.value_per_customer) == ("buying", 120, 48.5)
    assert search.process == "finding"
    seconds = [check.satisfied_within for check in (checkout, search, api)]
    assert seconds == [dt.timedelta(seconds=3), dt.timedelta(milliseconds=800), dt.timedelta(seconds=3)]


def test_without_a_word_the_budget_satisfies_and_the_standard_is_counted(loaded: Callable[..., Settings]):
    settings = loaded(BARE)
    assert settings.metrics == MetricsSettings(detail=MetricsDetail.STANDARD, series_limit=500_000)
    assert [check.satisfied_within for check in settings.checks] == [None, dt.timedelta(seconds=5)]
    assert settings.currency is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("detail: full", "detail: ful", "'ful' is no level of detail; did you mean 'full'?"),
        ("detail: full", "detail: lots", "'lots' is no level of detail; write core, standard or full"),
        ("currency: EUR", "currency: euro", "'euro' is not the code of a currency; write EUR"),
        ("currency: EUR", "currency: €", "'€' is not the code of a currency; write EUR"),
        ("series_limit: 20000", "series_limit: 3", "metrics.series_limit"),
        ("business: {currency: EUR}\n", "", "value_per_customer: has no currency; write business: {currency: EUR}"),
        ("customers_per_hour: 120", "customers_per_hour: 0", "customers_per_hour"),
        ("customers_per_hour: 120", "customers_per_hour: .inf", "customers_per_hour"),
        ("value_per_customer: 48.5", "value_per_customer: -1", "value_per_customer"),
        ("satisfied_within: 800ms", "satisfied_within: 31s", "31s says nothing, for a run is ended after 30s"),
        ("process: finding", "process: Finding things", "process"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place_and_remedy(problems_of: Problems, old, new, problem):
    problems = problems_of(TEXT.replace(old, new, 1))
    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize("objective", ["0", "1", "1.5", "-0.1"])
def test_a_vendor_answers_some_share_of_requests_but_never_all(problems_of: Problems, objective):
    ownership = f"vendors: {{Courier: {{hosts: [x.example], objective: {objective}}}}}\n"
    (problem,) = problems_of(TEXT, {}, ownership)
    assert "vendors.Courier.objective" in problem


def test_the_objective_of_a_vendor_is_what_the_file_says(loaded: Callable[..., Settings]):
    ownership = "vendors: {Courier: {hosts: [x.example], objective: 0.995}, Other: {hosts: [y.example]}}\n"
    vendors = loaded(TEXT, {}, ownership).ownership.vendors
    assert [vendor.objective for vendor in vendors] == [0.995, None]
