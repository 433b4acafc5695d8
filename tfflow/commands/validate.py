"""Compares an exported network with the float weights that it was made from, on your data, too."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, add_data
from tfflow.commands.to_tflite import show
from tfflow.errors import command
from tfflow.exporting.precisions import require_libraries

EXAMPLES = """example:
  tfflow validate out --weights pwcnet_mobile_v4 --data sintel-final:/data/sintel --out scores

`python export/validate.py` is the same command."""


def parser() -> Parser:
    p = Parser("tfflow validate", __doc__, EXAMPLES)
    p.add_argument("folder", type=Path, metavar="DIR", help="the --out of an export: model.json, model.tflite")
    p.add_argument("--weights", required=True, metavar="W", help="the float weights, as tfflow export was given")
    add_data(p, "report on this, too; repeatable")
    p.add_argument("--limit", type=int, default=32, metavar="N", help="pairs of each source (default: %(default)s)")
    p.add_argument("--out", type=Path, metavar="DIR", help="report.json and report.png")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    require_libraries([])

    from tfflow.api.export import validate
    from tfflow.terminal import wide_console

    report = validate(args.folder, args.weights, data=args.data, limit=args.limit, progress=True)
    if args.out:
        report.save(args.out)
    show(wide_console(), [report])
    return int(bool(report.failures))


if __name__ == "__main__":
    raise SystemExit(main())
