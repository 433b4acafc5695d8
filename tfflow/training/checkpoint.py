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

STATE = "state.safetensors"
SETTINGS = "run.json"


@dataclass
class Progress:
    """Where a run stands. step: updates done in all; phase: index of the phase under way; scores: see `loop.train`."""

    step: int = 0
    phase: int = 0
    seconds: float = 0.0
    scores: list[dict[str, Any]] = field(default_factory=list)


def save_state(folder: Path, groups: dict[str, dict[str, np.ndarray]], progress: Progress) -> None:
    """Weights, teacher and optimizer (`groups` of named arrays) with the progress that belongs to them."""
    arrays = {f"{group}:{name}": x for group, values in groups.items() for name, x in values.items()}
    save_arrays(folder / STATE, arrays, {"progress": json.dumps(asdict(progress))})


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


def claim_folder(folder: str | os.PathLike, settings: dict[str, Any]) -> Path:
    """The output folder of the run that `settings` describe: a new or empty one, or that of the same run.

    Raises InputError where it holds another run, naming the first setting that differs, or something else.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {str(folder)!r} is a file, expected a folder")
    path = folder / SETTINGS
    if path.is_file():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(f"{str(path)!r} is damaged: choose another --out") from None
        other = [k for k in {**before, **settings} if before.get(k) != settings.get(k)]
        if other:
            k = other[0]
            raise InputError(
                f"--out {str(folder)!r} holds another run: its {k} is {_short(before.get(k))}, "
                f"now {_short(settings.get(k))}; repeat its command to continue it, or choose another --out"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"--out {str(folder)!r} is not empty and holds no training run: choose another folder")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, settings)
    return folder


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
