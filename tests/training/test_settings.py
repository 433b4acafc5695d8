"""In which field two runs differ: the field and both values, never two equal texts."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.training.runs import THREE
from tfflow.losses import Census
from tfflow.recipes import RECIPES
from tfflow.training.settings import differences, run_settings


def settings(recipe, rate=None, **others):
    return json.loads(json.dumps(run_settings(recipe, rate, model="tiny", **others)))


def first(before, now) -> str:
    found = differences(before, now)
    return " ".join(next(iter(found.items()))) if found else ""


def phases(**changes):
    return (THREE.phases[0], dataclasses.replace(THREE.phases[1], **changes), THREE.phases[2])


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (THREE, ""),
        (THREE.scaled(80), "steps 12, now 80"),
        (dataclasses.replace(THREE, batch=3), "batch 2, now 3"),
        (dataclasses.replace(THREE, crop=(32, 24)), "crop 24x32, now 32x24"),
        (dataclasses.replace(THREE, name="four"), "recipe three, now four"),
        (dataclasses.replace(THREE, phases=phases(batch=3)), "phases[2].batch None, now 3"),
        (dataclasses.replace(THREE, departures=("worded otherwise",)), ""),
    ],
)
def test_the_first_field_that_differs_is_named_with_both_values(changed, text):
    assert first(settings(THREE), settings(changed)) == text


def test_of_long_values_the_part_that_differs_is_shown():
    other = 1.0 * Census(radius=1, over="all")
    text = first(settings(THREE), settings(dataclasses.replace(THREE, phases=phases(objective=other))))
    name, _, values = text.partition(" ")
    before, now = values.split(", now ")
    assert name == "phases[2].objective" and len(text) < 200
    assert before != now and "visible" in before and "all" in now


def test_another_rate_is_one_field_and_nothing_else():
    found = differences(settings(THREE, 0.1), settings(THREE, 0.01))
    assert found == {"learning_rate": "0.1, now 0.01"}


def test_a_run_of_a_version_whose_terms_had_other_names_goes_on():
    """arflow and unflow as files of that version have them."""
    for name, new, old in [("arflow", "TargetFlow(", "Following("), ("unflow", "OcclusionPenalty(", "Hidden(")]:
        now = settings(RECIPES[name])
        assert new in str(now)
        before = json.loads(json.dumps(now).replace(new, old))
        assert differences(before, now) == {}
        assert list(differences(before, {**now, "batch": 77})) == ["batch"]
