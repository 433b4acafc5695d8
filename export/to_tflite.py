"""`python export/to_tflite.py`: trained weights to a .tflite for the phone, its manifest and its report."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command, unknown_name
from tfflow.evaluation.report import wide_console
from tfflow.export.exporter import CALIBRATION_PAIRS, PRECISIONS, SCENES_SEED, Exporter
from tfflow.export.facts import facts
from tfflow.export.graph import Interface
from tfflow.export.manifest import manifest, write_manifest
from tfflow.export.report import Report, compare_all, ladder, show, write_report
from tfflow.export.timing import model_milliseconds
from tfflow.export.validation import measured
from tfflow.files import write_text, write_whole
from tfflow.models import load_float, untrained
from tfflow.models.tflite import TFLiteModel
from tfflow.recipes import named
from tfflow.terminal import Parser
from tfflow.training.feed import check_truth
from tfflow.training.strategy import choose_strategy

THREADS, TIMED = (1, 2), 20
"""With how many the rungs of a ladder are timed, and how often."""

EXAMPLES = """examples:
  python export/to_tflite.py --weights pwcnet_mobile --size 256x448 --precision int8-qat --out out
  python export/to_tflite.py --weights runs/mine --size 256x448 --precision all --data video:holiday.mp4
  python export/to_tflite.py --model spynet --size 256x448 --precision fp32,fp16,int8-ptq"""


def parser() -> Parser:
    p = Parser(
        prog="python export/to_tflite.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--weights", metavar="W", help="a name in the box, a .safetensors file, a run of tfflow.train")
    p.add_argument("--model", metavar="NAME", help="instead of --weights: a network with random weights")
    p.add_argument("--size", required=True, metavar="HxW", help="of the images, height x width, such as 256x448")
    p.add_argument(
        "--precision", default="fp32", metavar="P", help=f"of {', '.join(PRECISIONS)}; several with commas; or all"
    )
    p.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="for model.tflite, model.json, report.*; "
        "of several precisions a folder each, and ladder.md, which compares them",
    )
    p.add_argument("--both", action="store_true", help="flow 2->1, too")
    p.add_argument("--quarter", action="store_true", help="flow of every fourth pixel")
    p.add_argument("--uint8", action="store_true", help="images of 0 to 255, as a camera gives them")
    p.add_argument("--data", action="append", default=[], metavar="KIND:PATH", help="measure on this, too; repeatable")
    p.add_argument("--limit", type=int, default=32, metavar="N", help="pairs to measure on (default: %(default)s)")
    p.add_argument("--calibration", metavar="KIND:PATH", help="frames for int8 ranges (default: the built-in scenes)")
    p.add_argument("--train", metavar="KIND:PATH", help="frames for int8-qat (default: the built-in scenes)")
    p.add_argument("--recipe", metavar="NAME", help="for int8-qat (default: the one that trained the weights)")
    p.add_argument("--steps", type=int, default=400, metavar="N", help="of int8-qat (default: %(default)s)")
    p.add_argument("--devices", default="auto", help="for int8-qat, as of tfflow.train (default: %(default)s)")
    p.add_argument("--overwrite", action="store_true", help="replace an earlier export in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    precisions = _precisions(args.precision)
    folders = {p: args.out / p if len(precisions) > 1 else args.out for p in precisions}
    interface = Interface(_size(args.size), args.both, args.quarter, args.uint8)
    if (args.weights is None) == (args.model is None):
        raise InputError("give either --weights W or, for random weights, --model NAME")
    model = load_float(args.weights) if args.weights else untrained(args.model)
    interface.check(model.stride)
    sources = [open_source(data) for data in args.data]
    scenes = Scenes(interface.size, seed=SCENES_SEED, count=args.limit)
    for folder in folders.values():
        _check_folder(folder, args.overwrite)
    console = wide_console()
    calibration = Scenes(interface.size, seed=SCENES_SEED + 1, count=CALIBRATION_PAIRS)
    exporter = Exporter(
        model,
        interface,
        open_source(args.calibration) if args.calibration else calibration,
        say=lambda text: console.print(text, highlight=False, markup=False),
        **_fine_tuning(args, model, precisions),
    )  # fmt: skip
    reports = []
    for precision in precisions:
        console.print(f"{precision}: {model.name} at {args.size}", highlight=False)
        reports.append(_export(exporter, precision, [scenes, *sources], folders[precision], args.limit, console))
    code = show(console, reports)
    if len(reports) > 1:
        files = [next(folders[p].glob("model*.tflite")) for p in precisions]
        times = [{n: model_milliseconds(file, n, TIMED)[0] for n in THREADS} for file in files]
        table = ladder(reports, times)
        write_text(args.out / "ladder.md", table)
        console.print(table, highlight=False, markup=False, soft_wrap=True)
    return code


def _export(exporter: Exporter, precision: str, sources: list, folder: Path, limit: int, console: Console) -> Report:
    """Makes, validates and writes one; a file that fails its limits stays beside its name, as model.rejected.tflite."""
    contents = exporter.make(precision)
    found = facts(contents)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.tflite"
        path.write_bytes(contents)
        exported = TFLiteModel(path)
        comparisons = compare_all(exporter.model, exported, sources, limit, console)
        others = {"size_to_fp32": len(contents) / len(exporter.fp32)}
        if precision in exporter.fake_quantized:
            others["fake_quantized_mean_px"] = _fake_quantized_gap(exporter, precision, exported)
    report = Report(precision, found, comparisons, measured(comparisons[0], found, others))
    write_report(folder, report)
    good = not report.failures
    for old in ("model.json", "model.tflite", "model.rejected.tflite"):
        (folder / old).unlink(missing_ok=True)
    with write_whole(folder / ("model.tflite" if good else "model.rejected.tflite")) as part:
        part.write_bytes(contents)
    if good:
        numbers = {k: float(v) for k, v in report.values.items() if np.isfinite(v)}
        value = manifest(
            exporter.model, exporter.interface, precision, "model.tflite", contents, exported.order, numbers
        )
        write_manifest(folder / "model.json", value)
    return report


def _fake_quantized_gap(exporter: Exporter, precision: str, exported: TFLiteModel) -> float:
    """Mean distance, px, between the flow of the graph that was converted and of what it became."""
    graph = exporter.fake_quantized[precision]
    gaps = []
    for (a, b), _ in zip(exporter.pairs(as_given=False), range(4), strict=False):
        flows = graph([a, b], training=False)
        expected = (flows[0] if isinstance(flows, list) else flows).numpy()[0]
        gaps.append(np.linalg.norm(exported.raw(a[0], b[0])["flow12"] - expected, axis=-1).mean())
    return float(np.mean(gaps))


def _precisions(given: str) -> list[str]:
    names = list(PRECISIONS) if given == "all" else [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in PRECISIONS:
            raise unknown_name("precision", name, [*PRECISIONS, "all"])
    if not names:
        raise InputError(f"--precision names none: choose of {', '.join(PRECISIONS)}")
    return names


def _size(given: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", given)
    if not match:
        raise InputError(f"--size must be HEIGHTxWIDTH, such as 256x448, got {given!r}")
    return int(match[1]), int(match[2])


def _fine_tuning(args: argparse.Namespace, model, precisions: list[str]) -> dict:
    """What int8-qat needs; nothing of it is opened for other precisions."""
    if "int8-qat" not in precisions:
        return {}
    if args.steps < 1:
        raise InputError(f"--steps must be at least 1, got {args.steps}")
    name = args.recipe or model.metadata.get("recipe")
    if not name:
        raise InputError("int8-qat fine-tunes by the recipe of the weights, and these name none: choose with --recipe")
    recipe = named(name)
    train_on = open_source(args.train) if args.train else Scenes(recipe.crop, seed=SCENES_SEED + 2)
    check_truth(recipe, train_on)
    return {
        "recipe": recipe,
        "train_on": train_on,
        "strategy": choose_strategy(args.devices),
        "steps": args.steps,
    }


def _check_folder(folder: Path, overwrite: bool) -> None:
    if (folder / "model.json").exists() and not overwrite:
        raise InputError(f"{folder} holds an export already: choose another --out, or add --overwrite")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):  # refused now, not after minutes of work
        pass


if __name__ == "__main__":
    raise SystemExit(main())
