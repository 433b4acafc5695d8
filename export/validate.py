"""`python export/validate.py`: an exported network against the float weights it was made from, on your data too."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.evaluation.report import wide_console
from tfflow.export.exporter import SCENES_SEED
from tfflow.export.facts import facts
from tfflow.export.manifest import read_manifest
from tfflow.export.report import Report, compare_all, show, write_report
from tfflow.export.validation import measured
from tfflow.models import load_float
from tfflow.models.tflite import TFLiteModel
from tfflow.terminal import Parser

EXAMPLES = """example:
  python export/validate.py out --weights pwcnet_mobile --data sintel-final:/data/sintel --out scores"""


def parser() -> Parser:
    p = Parser(
        prog="python export/validate.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("folder", type=Path, metavar="DIR", help="the --out of an export: model.json, model.tflite")
    p.add_argument("--weights", required=True, metavar="W", help="the float weights, as export/to_tflite.py was given")
    p.add_argument("--data", action="append", default=[], metavar="KIND:PATH", help="measure on this, too; repeatable")
    p.add_argument("--limit", type=int, default=32, metavar="N", help="pairs of each source (default: %(default)s)")
    p.add_argument("--out", type=Path, metavar="DIR", help="report.json and report.png")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    described = read_manifest(args.folder / "model.json")
    float_model = load_float(args.weights)
    if float_model.name != described["network"]:
        raise InputError(
            f"{args.folder} holds a {described['network']}, and {args.weights} are weights of {float_model.name}"
        )
    path = args.folder / described["file"]
    exported = TFLiteModel(path)
    sources = [Scenes(exported.size, seed=SCENES_SEED, count=args.limit), *map(open_source, args.data)]
    console = wide_console()
    comparisons = compare_all(float_model, exported, sources, args.limit, console)
    found = facts(path.read_bytes())
    report = Report(described["precision"], found, comparisons, measured(comparisons[0], found, {}))
    if args.out:
        write_report(args.out, report)
    return show(console, [report])


if __name__ == "__main__":
    raise SystemExit(main())
