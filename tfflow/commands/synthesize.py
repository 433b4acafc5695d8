"""Writes built-in moving scenes to disk, with exact flow, in the layout of Flying Chairs."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import cv2
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tfflow.commands.options import Parser, size
from tfflow.data.formats import write_flo
from tfflow.data.images import write_image
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.files import write_json, write_text
from tfflow.limits import parse_json

RECORD = "synthesize.json"
OPTIONS = ("size", "count", "seed", "textures")  # of the command, which are settings elsewhere: scenes:size=...
ENDINGS = ("_img2.ppm", "_flow.flo", "_flow21.flo", "_occ1.png", "_occ2.png", "_img1.ppm")  # in the order of writing
MOST = 99_999  # names have five digits, as those of Flying Chairs


def write_scene(scenes: Scenes, index: int, folder: Path) -> None:
    """Writes scene `index` as pair index + 1, each file whole. `_img1.ppm` comes last, and marks a complete pair."""
    sample = scenes.sample(index)
    img2, flow, flow21, occ1, occ2, img1 = (folder / f"{index + 1:05d}{ending}" for ending in ENDINGS)
    write_image(img2, sample["image2"])
    write_flo(flow, sample["flow12"])
    write_flo(flow21, sample["flow21"])
    write_image(occ1, 1 - sample["visible1"][..., 0])  # white = occluded
    write_image(occ2, 1 - sample["visible2"][..., 0])
    write_image(img1, sample["image1"])


def validates(pair: int) -> bool:
    """Whether pair 1, 2, ... belongs to the validation part: one in twenty, and one of the first two."""
    return pair % 20 == 2


def synthesize(scenes: Scenes, out: Path, jobs: int) -> int:
    """Writes all scenes that `out` does not hold yet; returns how many these were.

    Raises InputError where `out` holds anything else, or more scenes, or scenes of other settings.
    """
    if jobs < 1:
        raise InputError(f"--jobs must be 1 or more, got {jobs}")
    if len(scenes) > MOST:
        raise InputError(f"--count must be at most {MOST}, got {len(scenes)}: use several folders and seeds")
    claim(scenes, out)
    data = out / "data"
    missing = [i for i in range(len(scenes)) if not all((data / f"{i + 1:05d}{end}").exists() for end in ENDINGS)]
    write_text(out / "chairs_split.txt", "".join(f"{1 + validates(i + 1)}\n" for i in range(len(scenes))))
    columns = (TextColumn("scenes"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:.1f}/s"))
    with Progress(*columns, TimeRemainingColumn()) as bar:
        start = time.monotonic()
        task = bar.add_task("", total=len(scenes), completed=len(scenes) - len(missing), rate=0.0)
        for done, _ in enumerate(_write_all(scenes, missing, data, jobs), 1):
            bar.update(task, advance=1, rate=done / (time.monotonic() - start))
    return len(missing)


def claim(scenes: Scenes, out: Path) -> None:
    """Notes the settings in `out`, or compares them with those noted there by an earlier run."""
    came = json.loads(json.dumps(describe(scenes)))  # tuples become lists, as in the file
    path = out / RECORD
    if out.exists() and not out.is_dir():
        raise InputError(f"--out must be a folder, '{out}' is a file")
    if path.exists():
        try:
            noted = {**_first_settings(), **parse_json(path.read_bytes())}
            count = int(noted["count"])
        except (ValueError, KeyError, TypeError):
            raise InputError(f"'{path}' is damaged: remove the folder or choose another --out") from None
        other = [k for k in sorted({*came, *noted} - {"count"}) if came.get(k) != noted.get(k)]
        if other:
            change = "; ".join(_difference(key, noted.get(key), came.get(key)) for key in other)
            raise InputError(f"'{out}' holds scenes of other settings ({change}): choose another --out")
        if count > len(scenes):
            raise InputError(f"'{out}' was begun with {count} scenes: --count must be at least that")
    elif out.exists() and any(out.iterdir()):
        raise InputError(f"'{out}' is not empty and holds no scenes of tfflow.synthesize: choose another --out")
    write_json(path, came)


def _first_settings() -> dict[str, Any]:
    """The default of every setting, for records that are older than a setting."""
    return json.loads(json.dumps(dataclasses.asdict(SceneSettings())))


def describe(scenes: Scenes) -> dict[str, Any]:
    """All that a set of scenes depends on, as JSON holds it."""
    height, width = scenes.size
    textures = [photo.name for photo in scenes.photos]
    settings = dataclasses.asdict(scenes.settings)
    return {"count": len(scenes), "seed": scenes.seed, "size": f"{height}x{width}", "textures": textures, **settings}


def parser() -> Parser:
    p = Parser("tfflow synthesize", __doc__)
    p.add_argument("--out", type=Path, required=True, help="folder to write to; the same command again continues")
    p.add_argument("--count", type=int, default=1000, help="number of pairs (default: 1000)")
    p.add_argument("--size", type=size, default=(192, 256), metavar="HxW", help="height x width (default: 192x256)")
    p.add_argument("--seed", type=int, default=0, help="another seed gives other scenes (default: 0)")
    p.add_argument("--textures", type=Path, metavar="FOLDER", help="cut textures from the photographs in FOLDER")
    p.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a scene setting, e.g. noise=0 or shapes=2x5"
    )
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per CPU)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    for pair in ",".join(args.set).split(","):
        if (key := pair.partition("=")[0]) in OPTIONS:
            raise InputError(f"--set {pair} is no setting of the scenes: give --{key}")
    settings = open_source("scenes:" + ",".join(args.set)).settings  # type: ignore[attr-defined]
    scenes = Scenes(args.size, args.count, args.seed, settings, args.textures)
    written = synthesize(scenes, args.out, args.jobs)
    part = sum(validates(i + 1) for i in range(len(scenes)))
    print(f"{len(scenes)} pairs in {args.out}, {written} of them new; {part} are for validation")
    print(f"use them with --data chairs-train:{args.out} --val chairs-val:{args.out}")
    return 0


def _write_all(scenes: Scenes, missing: list[int], data: Path, jobs: int) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    if jobs == 1 or len(missing) < 2:
        for index in missing:
            write_scene(scenes, index, data)
            yield
        return
    context = multiprocessing.get_context("spawn")  # a forked OpenCV may hang
    pool = ProcessPoolExecutor(min(jobs, len(missing)), context, _start, (scenes, data))
    try:
        yield from pool.map(_work, missing, chunksize=4)
    except BrokenProcessPool:
        raise InputError("a process that draws scenes was ended from outside: use fewer --jobs; run again") from None
    finally:
        pool.shutdown(cancel_futures=True)


_job: tuple[Scenes, Path] | None = None  # of a drawing process


def _start(scenes: Scenes, data: Path) -> None:
    global _job
    _job = (scenes, data)
    cv2.setNumThreads(1)  # one process per CPU is enough
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's


def _work(index: int) -> None:
    assert _job is not None
    write_scene(_job[0], index, _job[1])


def _difference(key: str, noted: Any, came: Any) -> str:
    if key == "textures":
        return f"textures from {len(noted or [])} photographs, not these {len(came or [])}"
    return f"{key} {noted}, not {came}"


if __name__ == "__main__":
    raise SystemExit(main())
