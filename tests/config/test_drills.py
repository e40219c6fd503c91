"""When checks are drilled."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.loading import ConfigurationError, load
from monitor.config.settings import DrillPlan
from monitor.domain.check import Schedule

CONFIG = """\
location: lab
targets: {{shop: {{base_url: "https://www.shop.example"}}}}
checks: [{{journey: browse, target: shop, every: 60s, deadline: 30s}}]
drills: [{drill}]
"""


def loaded(folder: Path, drill: str):
    path = folder / "monitor.yaml"
    path.write_text(CONFIG.format(drill=drill))
    return load(path, {})


def test_a_drill_names_a_check_and_its_moments(tmp_path: Path):
    settings = loaded(tmp_path, "{check: browse@shop/desktop, cron: '0 3 * * *', timezone: Europe/Berlin}")
    schedule = Schedule(cron="0 3 * * *", timezone="Europe/Berlin")
    assert settings.drills == (DrillPlan(check="browse@shop/desktop", schedule=schedule),)


@pytest.mark.parametrize(
    ("drill", "words"),
    [
        ("{check: brows@shop/desktop, cron: '0 3 * * *'}", "did you mean 'browse@shop/desktop'?"),
        ("{check: browse@shop/desktop, cron: nightly}", "not a crontab expression"),
        ("{check: browse@shop/desktop}", "cron"),
    ],
)
def test_a_drill_with_a_mistake_is_refused_with_its_place(tmp_path: Path, drill: str, words: str):
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, drill)
    (problem,) = caught.value.problems
    assert words in str(problem)
    assert ":4:" in str(problem)
