"""A run's state on disk: one file, written whole or not at all, from which the same run goes on."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.errors import InputError
from tfflow.files import write_json
from tfflow.models.weights import read_arrays, save_arrays
from tfflow.training.lock import LOCK

STATE = "state.safetensors"
SETTINGS = "run.json"


@dataclass
class Progress:
    """Where a run stands.

    step: updates done in all; phase: index of the phase under way, their number where the run ended; pending: the
    history's row under way (`log.History`); scores: see `loop.train`.
    """

    step: int = 0
    phase: int = 0
    seconds: float = 0.0
    pending: dict[str, list[float]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)


def save_state(folder: Path, groups: dict[str, dict[str, np.ndarray]], progress: Progress) -> None:
    """Weights, teacher and optimizer (`groups` of named arrays) with the progress that belongs to them.

    Raises InputError where the disk refuses; the state that was there before stays.
    """
    arrays = {f"{group}:{name}": x for group, values in groups.items() for name, x in values.items()}
    try:
        save_arrays(folder / STATE, arrays, {"progress": json.dumps(asdict(progress))})
    except OSError as error:
        raise InputError(
            f"the state of step {progress.step} cannot be written to {str(folder)!r} ({error.strerror or error}); the "
            "one before it is kept: make room, then repeat the command"
        ) from error


def read_state(folder: Path) -> tuple[dict[str, dict[str, np.ndarray]], Progress] | None:
    """What `save_state` wrote, or None where nothing is there. Raises InputError where the file is damaged."""
    if not (folder / STATE).exists():
        return None
    arrays, metadata = read_arrays(folder / STATE)
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, x in arrays.items():
        group, _, rest = name.partition(":")
        groups.setdefault(group, {})[rest] = x
    try:
        return groups, Progress(**json.loads(metadata["progress"]))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{str(folder / STATE)!r} is not the state of a training run ({error!r})") from None


def check_folder(folder: str | os.PathLike, settings: dict[str, Any]) -> None:
    """Raises InputError where `folder` is neither new nor empty nor that of the run that `settings` describe.

    It names the first setting that differs. Nothing is written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {str(folder)!r} is a file, expected a folder")
    path = folder / SETTINGS
    if path.is_file():
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise InputError(f"{str(path)!r} is damaged: choose another --out") from None
        other = [k for k in {**before, **settings} if before.get(k) != settings.get(k)]
        if other:
            k = other[0]
            raise InputError(
                f"--out {str(folder)!r} holds another run: its {k} is {_short(before.get(k))}, "
                f"now {_short(settings.get(k))}; repeat its command to continue it, or choose another --out"
            )
    elif folder.is_dir() and any(x not in _ours(folder) for x in folder.iterdir()):
        raise InputError(f"--out {str(folder)!r} is not empty and holds no training run: choose another folder")


def claim_folder(folder: str | os.PathLike, settings: dict[str, Any]) -> Path:
    """The folder, made and marked as that of the run that `settings` describe, without what a kill left half-written.

    Raises InputError as `check_folder`.
    """
    check_folder(folder, settings)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in _half_written(folder):
        path.unlink(missing_ok=True)
    if not (folder / SETTINGS).is_file():
        write_json(folder / SETTINGS, settings)
    return folder


def _half_written(folder: Path) -> list[Path]:
    """What `write_whole` leaves where it is killed."""
    return [*folder.glob(".*.part"), *folder.glob(".*.part.*")]


def _ours(folder: Path) -> list[Path]:
    """What a run that ended before it was marked as one may leave."""
    return [*_half_written(folder), folder / LOCK]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
