"""The settings that identify a run, and the comparison of two runs field by field."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tfflow.recipes import Recipe

RATE = "learning_rate"
"""The one setting that may differ when a run resumes, because it must change when numbers are not finite."""

RENAMED = {
    "Hidden": "OcclusionPenalty",
    "Outgoing": "OutOfFrame",
    "Following": "TargetFlow",
    "SecondLook": "SecondPass",
}
"""Former names of loss terms in files of earlier versions -> present names, so that such a run can go on."""
_COLUMNS = {former.lower(): name.lower() for former, name in RENAMED.items()}


def present_column(column: str) -> str:
    """The present name of a term's column in a log, as of `Objective.names`: "hidden2" -> "occlusionpenalty2"."""
    name = column.rstrip("0123456789")
    return _COLUMNS.get(name, name) + column[len(name) :]


def run_settings(recipe: Recipe, learning_rate: float | str | None, **others: Any) -> dict[str, Any]:
    """The settings of a run as JSON types. The same settings and the same files give the same weights.

    recipe: before `learning_rate` scales its schedules. others: model, data, weights, seed, ...
    """
    phases = [
        {f.name: _plain(getattr(phase, f.name)) for f in dataclasses.fields(phase)} | {"name": phase.name}
        for phase in recipe.phases
    ]
    return {
        "recipe": recipe.name,
        "steps": recipe.steps,
        "batch": recipe.batch,
        "crop": "x".join(map(str, recipe.crop)),
        RATE: learning_rate,
        **others,
        "augmentation": repr(recipe.augmentation),
        "optimizer": repr(recipe.optimizer),
        "levels_optional": recipe.levels_optional,
        "scenes": recipe.scenes,
        **({"labels": repr(recipe.labels)} if recipe.labels else {}),
        "phases": phases,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) else repr(value)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """The fields that differ, with both values: {"steps": "60, now 80"}. Broader fields come first."""
    old, new = dict(_fields(before)), dict(_fields(now))
    return {name: _apart(old.get(name), new.get(name)) for name in {**new, **old} if old.get(name) != new.get(name)}


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _fields(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value, 1):
            yield from _fields(inner, f"{name}[{place}]")
    else:
        if isinstance(value, str):
            value = re.sub(r"\w+(?=\()", lambda found: RENAMED.get(found[0], found[0]), value)
        yield name, value


def _apart(before: Any, now: Any, shown: int = 50) -> str:
    """Both values. Long values are shortened to the part where they begin to differ."""
    old, new = str(before), str(now)
    if max(len(old), len(new)) <= shown:
        return f"{old}, now {new}"
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    begin = max(0, same - 15)
    return ", now ".join(_part(text, begin, shown) for text in (old, new))


def _part(text: str, begin: int, shown: int) -> str:
    return "..." * (begin > 0) + text[begin : begin + shown] + "..." * (len(text) > begin + shown)
