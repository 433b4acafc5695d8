"""`tfflow.phone`: from a video to files for the phone, in one folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfflow.api.own_video import NothingToLearn
from tfflow.api.train import train
from tfflow.data.sources import open_sources
from tfflow.defaults import WEIGHTS
from tfflow.errors import InputError
from tfflow.exporting.precisions import chosen, require_libraries
from tfflow.exporting.run import FILE, MANIFEST, ExportSettings, export
from tfflow.files import write_json, write_text, write_whole
from tfflow.limits import parse_json
from tfflow.models import RUN_WEIGHTS, load_float, pretrained_names, weights_file
from tfflow.recipes import get_recipe
from tfflow.terminal import wide_console
from tfflow.training.pace import steps_a_second

RECIPE = "textured_tune"
PRECISIONS = ("int8-qat", "fp16")
STEPS, STEPS_OF_QAT = 420, 200
"""Of training and of fine-tuning int8, where no hours are given: with all else about 20 minutes on two cores."""
FIXED_STEPS, FEWEST_STEPS = 600, 60
"""Of other hours: measuring and export take as long as about so many steps of training, which has so many at least."""
MADE, PLAN, START = "phone.json", "plan.json", "START.txt"
TRAINING = "training"


@dataclass(frozen=True)
class PhoneResult:
    """folder: of all files. verdict: one line on the gain of training. accepted, rejected: precisions whose files keep
    their limits, and those whose files do not. page: the command that shows the files in the browser, "" if none."""

    folder: Path
    verdict: str
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    page: str


def phone(
    video: str | os.PathLike,
    out: str | os.PathLike,
    hours: float | None = None,
    *,
    weights: str = WEIGHTS,
    size: tuple[int, int] = (256, 448),
    precision: str | Sequence[str] = PRECISIONS,
    steps: int | None = None,
    skip_training: bool = False,
    devices: str = "auto",
    seed: int = 0,
    progress: bool = False,
) -> PhoneResult:
    """Trains pretrained weights on a video, measures, exports, and compares each file with the float network.

        result = tfflow.phone("holiday.mp4", "holiday", hours=8)
        print(result.verdict)

    The same call resumes where it stopped: a finished training, and files of its weights, are kept.
    video: a file, a folder of frames, or "KIND:PATH". out: gets weights.safetensors, report.png, a folder for each
    precision with model.tflite, model.json and its report, and START.txt, the line that shows them in the browser.
    hours: for everything. The pace of this machine is measured first, and decides the number of steps.
        Default: 420 steps, which take about 20 minutes on two cores with all else. steps: of training, instead.
    weights: the name of pretrained weights to begin with. size: (height, width) of the files' frames. skip_training:
        exports the pretrained weights. If the frames are too few or do not move, the result is the pretrained weights,
        and the verdict states it.
    Raises InputError if the video, the folder or a library is missing or does not fit.
    """
    precisions = chosen(precision)
    require_libraries(precisions)
    if hours is not None and not 0 < hours <= 1_000:
        raise InputError(f"`hours` must be above 0 and at most 1,000, got {hours:g}")
    if hours is not None and steps is not None:
        raise InputError("`hours` and `steps` exclude each other: give one")
    if weights not in pretrained_names():
        raise InputError(f"`weights` must be pretrained weights ({', '.join(pretrained_names())}), got {weights!r}")
    folder, data = Path(out), os.fspath(video)
    console = wide_console(quiet=not progress)
    used: str | Path = weights
    verdict = f"not trained: the files are of the pretrained weights {weights}"
    if not skip_training:
        try:
            run = train(
                data,
                recipe=RECIPE,
                weights=weights,
                out=folder / TRAINING,
                steps=_steps_in(hours, folder, data, weights, devices) if hours else steps or STEPS,
                devices=devices,
                seed=seed,
                progress=progress,
            )
        except NothingToLearn as error:
            verdict = f"{error}; the files are of the pretrained weights {weights}"
            console.print(verdict)
        else:
            used = run.folder
            verdict = run.verdict.line() if run.verdict else ""
            _copy(run.report, folder / run.report.name)
            console.print(run)
    _copy(weights_file(used), folder / RUN_WEIGHTS)
    accepted = _exported(folder, used, precisions, size, data, devices, console.print)
    rejected = tuple(name for name in precisions if name not in accepted)
    page = f"tfflow web --model {' '.join(str(folder / name) for name in accepted)}" if accepted else ""
    write_text(folder / START, f"{verdict}\n{page}\n")
    return PhoneResult(folder, verdict, accepted, rejected, page)


def _steps_in(hours: float, folder: Path, data: str, weights: str, devices: str) -> int:
    """Steps of training for a call of so many hours; the same as before where an earlier call planned them."""
    open_sources(data)  # a wrong path is refused before a minute is spent
    asked = {"hours": hours, "weights": weights}
    try:
        kept = parse_json((folder / PLAN).read_bytes())
        if kept["asked"] == asked:
            return int(kept["steps"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    pace = steps_a_second(get_recipe(RECIPE), load_float(weights).name, devices)
    steps = max(FEWEST_STEPS, round(hours * 3_600 * pace) - FIXED_STEPS)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / PLAN, {"asked": asked, "pace": round(pace, 3), "steps": steps})
    return steps


def _exported(
    folder: Path,
    weights: str | Path,
    precisions: Sequence[str],
    size: tuple[int, int],
    data: str,
    devices: str,
    say: Callable[[str], None],
) -> tuple[str, ...]:
    """Makes what is not there yet of these weights; the precisions whose files keep their limits."""
    source = {"weights": hashlib.sha256(weights_file(weights).read_bytes()).hexdigest(), "size": list(size)}
    made = _made(folder, source)
    for name in precisions:
        place = folder / name
        if name in made and (not made[name] or ((place / FILE).is_file() and (place / MANIFEST).is_file())):
            say(f"{name}: made already, kept")
            continue
        own = None if Path(weights).is_dir() else data  # a run's folder knows its frames
        settings = ExportSettings(
            size=size,
            precision=name,
            calibration=own if name.startswith("int") else None,
            recipe=RECIPE,  # that of pretrained weights may have larger frames, and take several times as long
            steps=STEPS_OF_QAT,
            devices=devices,
            overwrite=True,
        )
        result = export(weights, place, settings, say)
        made[name] = result.accepted
        for report in result.reports:
            for line in report.failures:
                say(f"{name}: {line}")
        write_json(folder / MADE, {"source": source, "accepted": made})
    return tuple(name for name in precisions if made[name])


def _made(folder: Path, source: dict) -> dict[str, bool]:
    """What earlier calls made of the same weights and size: whether each file was accepted."""
    try:
        noted = parse_json((folder / MADE).read_bytes())
        return dict(noted["accepted"]) if noted["source"] == source else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _copy(path: Path, to: Path) -> None:
    with write_whole(to) as part:
        shutil.copyfile(path, part)
