"""`python export/validate.py`: an exported network against the float weights it was made from, on your data too."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from tfflow.commands.to_tflite import show
from tfflow.errors import command
from tfflow.exporting.precisions import require_libraries
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
    p.add_argument("--data", action="append", default=[], metavar="KIND:PATH", help="report on this, too; repeatable")
    p.add_argument("--limit", type=int, default=32, metavar="N", help="pairs of each source (default: %(default)s)")
    p.add_argument("--out", type=Path, metavar="DIR", help="report.json and report.png")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    require_libraries([])

    from tfflow.evaluation.report import progress_bar, wide_console
    from tfflow.exporting.check import validate

    console = wide_console()
    report = validate(
        args.folder,
        args.weights,
        data=args.data,
        limit=args.limit,
        say=lambda text: console.print(text, highlight=False, markup=False),
        bars=functools.partial(progress_bar, console),
    )
    if args.out:
        report.save(args.out)
    show(console, [report])
    return int(bool(report.failures))


if __name__ == "__main__":
    raise SystemExit(main())
