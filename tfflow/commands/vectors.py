"""Writes what the Android app's code must compute, as Python does, for its tests on the JVM."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser
from tfflow.errors import InputError, command
from tfflow.exporting.vectors import PLACE, as_lines, golden, vectors
from tfflow.files import write_text


def parser() -> Parser:
    p = Parser("python -m tfflow.commands.vectors", __doc__, plugins=False)
    p.add_argument("--model", type=Path, metavar="DIR", help="instead: frames, and their flow by the export in DIR")
    p.add_argument("--out", type=Path, metavar="FILE", help=f"to write (default: {PLACE.name} of the app's tests)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.model is not None and args.out is None:
        raise InputError("--model DIR needs --out FILE, to hold what the model gives")
    out = args.out or PLACE
    if args.out is None and not out.parent.is_dir():
        raise InputError(f"the app's sources are not at {out.parent}: say with --out FILE where to write")
    write_text(out, as_lines(vectors() if args.model is None else golden(args.model)))
    print(f"wrote {out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
