"""The state of a run on disk, in two files. Each is written completely or not at all. A run resumes from them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.errors import InputError
from tfflow.files import write_json
from tfflow.limits import parse_json
from tfflow.messages import inform, warn
from tfflow.models import RUN_WEIGHTS
from tfflow.models.weights import read_arrays, save_arrays
from tfflow.training.lock import LOCK
from tfflow.training.settings import RATE, differences

STATE, BEFORE = "state.safetensors", "state.before.safetensors"
"""The last state, and the state before it, which is used if the last one is damaged."""

SETTINGS = "run.json"

Groups = dict[str, dict[str, np.ndarray]]
"""The weights of the network and the teacher, and the state of the optimizer: group -> name -> array."""


@dataclass
class Progress:
    """The progress of a run.

    step: number of updates. phase: index of the current phase; the number of phases if the run has ended. seconds: of
    training. pending: the unfinished row of the history (`log.History`). scores: see `loop.train`. judged:
    [step, score] of each checkpoint that was scored to find the best. not_finite: whether the next step gave a loss or
    gradient that is not finite.
    """

    step: int = 0
    phase: int = 0
    seconds: float = 0.0
    pending: dict[str, list[float]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    judged: list[list[float]] = field(default_factory=list)
    not_finite: bool = False


def save_state(folder: Path, groups: Groups, progress: Progress) -> None:
    """Writes a state. The former last state becomes the state before it.

    If the next step is not finite, the state before stays as it is, so that a run can always go back one state.
    Raises InputError if the disk refuses; both former states stay.
    """
    arrays = {f"{group}:{name}": x for group, values in groups.items() for name, x in values.items()}
    part = folder / f".{STATE}.part"
    try:
        save_arrays(part, arrays, {"progress": json.dumps(asdict(progress))})
        if (folder / STATE).exists() and not (progress.not_finite and (folder / BEFORE).exists()):
            _keep(folder / STATE, folder / BEFORE)
        part.replace(folder / STATE)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"the state of step {progress.step} cannot be written to {str(folder)!r} ({error.strerror or error}); the "
            "one before it is kept: make room, then repeat the command"
        ) from error


def _keep(path: Path, under: Path) -> None:
    """Links a file to a second name, replacing what had that name. If the disk has no links, the file is moved."""
    part = under.with_name(f".{under.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(path, part)
    except OSError:  # a disk without links
        path.replace(under)
        return
    part.replace(under)
    part.unlink(missing_ok=True)  # both names already belonged to one file


def read_state(folder: Path) -> tuple[Groups, Progress] | None:
    """The last state, or None if there is none. If it is damaged: the state before it, with a warning.

    Raises InputError if both are damaged.
    """
    found = [folder / name for name in (STATE, BEFORE) if (folder / name).exists()]
    problem: InputError | None = None
    for path in found:
        try:
            state = _read(path)
        except InputError as error:
            problem = problem or error
            continue
        if problem:
            warn(f"{problem}; the run goes on from the state before it, of step {state[1].step}")
        return state
    if problem:
        raise problem
    return None


def _read(path: Path) -> tuple[Groups, Progress]:
    arrays, metadata = read_arrays(path)
    groups: Groups = {}
    for name, x in arrays.items():
        group, _, rest = name.partition(":")
        groups.setdefault(group, {})[rest] = x
    try:
        progress = Progress(**parse_json(metadata["progress"], finite=False))
        if not all(
            type(x) is type(y) for x, y in zip(asdict(progress).values(), asdict(Progress()).values(), strict=True)
        ):
            raise ValueError("a value is of another type")
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{str(path)!r} is not the state of a training run ({error!r})") from None
    return groups, progress


def check_folder(folder: str | os.PathLike, settings: dict[str, Any]) -> str:
    """Raises InputError unless `folder` is new, empty, or the folder of the run that `settings` describe.

    The error names the first setting that differs. A run that has not ended may go on with another learning rate.
    Returns "old, now new" for a learning rate that differs, else "". Nothing is written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"`out` {str(folder)!r} is a file, expected a folder")
    path = folder / SETTINGS
    if not path.is_file():
        if folder.is_dir() and any(x not in _ours(folder) for x in folder.iterdir()):
            raise InputError(f"`out` {str(folder)!r} is not empty and holds no training run: choose another folder")
        return ""
    try:
        before = parse_json(path.read_bytes())
        if not isinstance(before, dict):
            raise ValueError
    except ValueError:
        raise InputError(f"{str(path)!r} is damaged: choose another `out`") from None
    if "steps" not in before and str(before.get("recipe")).startswith("Recipe("):
        raise InputError(
            f"`out` {str(folder)!r} holds a run of an earlier version: finish it there, or choose another `out`"
        )
    differing = differences(before, json.loads(json.dumps(settings)))
    rate = differing.pop(RATE, "")
    if differing or (rate and not _may_change_rate(folder)):
        name, values = next(iter((differing or {RATE: rate}).items()))
        raise InputError(
            f"`out` {str(folder)!r} holds another run: {name} {values}; repeat its command to continue it, or choose "
            "another `out`"
        )
    return rate


def _may_change_rate(folder: Path) -> bool:
    """Whether the run has begun and not ended."""
    return not (folder / RUN_WEIGHTS).exists()


def claim_folder(folder: str | os.PathLike, settings: dict[str, Any]) -> Path:
    """Makes the folder, records the run's `settings` in it, and removes files that a killed process left incomplete.

    The caller holds the folder's lock. If the learning rate differs and a number was not finite, the run goes back to
    the state before. Raises InputError as `check_folder` does.
    """
    rate = check_folder(folder, settings)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in _half_written(folder):
        path.unlink(missing_ok=True)
    if rate:
        inform(f"the run goes on with another {RATE}: {rate}")
        state = read_state(folder)
        if state and state[1].not_finite and (folder / BEFORE).exists():
            inform(f"it goes back to step {_read(folder / BEFORE)[1].step}")
            (folder / BEFORE).replace(folder / STATE)
    if rate or not (folder / SETTINGS).is_file():
        write_json(folder / SETTINGS, settings)
    return folder


def unclaim_folder(folder: Path) -> None:
    """Forgets the settings of a run that was refused before its first state, so that another one may use the folder."""
    if not (folder / STATE).exists():
        (folder / SETTINGS).unlink(missing_ok=True)


def step_before(folder: Path) -> int | None:
    """The step to which a run would go back; None if there is none."""
    try:
        return _read(folder / BEFORE)[1].step if (folder / BEFORE).exists() else None
    except InputError:
        return None


def _half_written(folder: Path) -> list[Path]:
    """The files that `write_whole` and `save_state` leave if they are killed."""
    return [*folder.glob(".*.part"), *folder.glob(".*.part.*")]


def _ours(folder: Path) -> list[Path]:
    """The files that a run may leave if it ends before its settings are recorded."""
    return [*_half_written(folder), folder / LOCK]
