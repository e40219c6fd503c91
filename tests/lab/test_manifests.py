from __future__ import annotations

import pytest

from tests.lab.manifest import ManifestError, manifest_of, read_manifest, read_manifests
from tests.lab.world.faults import Faults
from tests.lab.world.names import draw

IDS = """
O01 O02 O04 O05 O07 O09 O10 O11 O13 O14 O16 O18 O20 O21 O22 O23 O24 O26 O28 O29 O30 O32 O33 O34
T01 T02 T03 T04 T05 T07 T08 T10 T11 T12 T14 T15 T16 T19 T20 T21 T25 T26 T27 T29 T32 T34
C01 C02 C04 C05 C06 C07 C08 C10 C12 C13 C14 C15 C17 C19 C20 C22 C24 C25 C26
P01 P02 P03 P04 P06 P09 P11 P13 N01 N02 N03 N05 N06 N08 N10 N11 N12 N13
U01 U02 U03 U05 U06 U07 U09 M01 M02 M05 M06
"""
EVERY = (*read_manifests(), *read_manifests(("X",)))
GOOD = """
id: O99
title: Something is broken
journey: buy
faults:
  - {where: "@own", what: stopped}
expect: {outcome: failed, detail: own.connect, culprit: "@own"}
"""


def written(tmp_path, text):
    path = tmp_path / "O99.yaml"
    path.write_text(text)
    return path


def test_every_labelled_fault_is_written_down():
    assert {manifest.id for manifest in read_manifests()} == set(IDS.split())


def test_what_the_rules_were_not_built_on_is_read_only_where_it_is_asked_for():
    assert not any(manifest.unseen for manifest in read_manifests())
    assert not any(manifest.unseen for manifest in read_manifests(("O", "T0")))
    found = read_manifests(("X",))
    assert found
    assert all(manifest.unseen for manifest in found)
    assert manifest_of(found[0].id) == found[0]


def test_each_scenario_says_what_a_correct_classifier_answers():
    for manifest in EVERY:
        assert manifest.negative or manifest.expect.detail is not None, manifest.id
        assert manifest.negative or manifest.decisive, manifest.id


def test_each_twin_is_a_scenario_and_names_its_twin():
    known = {manifest.id: manifest for manifest in EVERY}
    for manifest in known.values():
        for twin in manifest.twins:
            assert twin in known, manifest.id


def test_each_fault_names_parts_that_its_host_has():
    for manifest in EVERY:
        Faults(manifest.faults, draw(manifest.id, port=443))


def test_the_same_seed_draws_the_same_world_and_another_one_another():
    assert draw("O01/1", port=443) == draw("O01/1", port=443)
    assert draw("O01/1", port=443).hosts["own"] != draw("O01/2", port=443).hosts["own"]


def test_nothing_that_is_drawn_tells_the_scenario():
    for manifest in EVERY:
        assert manifest.id.lower() not in repr(draw(f"{manifest.id}/1", port=443)).lower()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("what: stopped", "what: broken", "is no fault; there are: stopped"),
        ("what: stopped", "what: delay", "needs 'with: {seconds"),
        ("what: stopped", "what: stopped, with: {seconds: 1}", "has no 'seconds'"),
        ('where: "@own"', 'where: "@owner"', "is no role"),
        ("detail: own.connect", "detail: own.unknown", "expect.detail"),
        ("outcome: failed", "outcome: passed", "none then"),
        ("detail: own.connect", "detail: own.connect, cause: third_party", "does not fit"),
        ("journey: buy", "journey: by", "journey"),
        ("title: Something is broken", "heading: x", "heading"),
        ("id: O99", "id: O98", "must be the name of the file"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_with_its_place(tmp_path, old, new, told):
    assert read_manifest(written(tmp_path, GOOD)).id == "O99"
    with pytest.raises(ManifestError, match=r"O99\.yaml") as caught:
        read_manifest(written(tmp_path, GOOD.replace(old, new)))
    assert told in str(caught.value)


def test_a_scenario_that_is_not_there_is_told():
    with pytest.raises(ManifestError, match="no scenario is called Z99"):
        read_manifests(("Z99",))
