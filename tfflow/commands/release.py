"""Adds the weights of a finished run to the pretrained weights of the package, measured and described.

Writes NAME.safetensors and its record NAME.json to the folder of pretrained weights, and the model card NAME.md with
the report of the run to --docs. Every figure is measured here, on the weights that are written. If RUN is the name of
pretrained weights, they go into the network of NAME without training. Without RUN the pretrained weights called NAME
are measured again.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, add_data, add_former_name
from tfflow.errors import command


def parser() -> Parser:
    p = Parser("tfflow release", __doc__)
    p.add_argument(
        "run",
        type=Path,
        nargs="?",
        help="output folder of a `tfflow train` that ended, or the name of pretrained weights",
    )
    p.add_argument("--name", help="what the weights will be called: NETWORK, or NETWORK.TAG")
    add_data(p, "ground truth to measure on; repeatable")
    p.add_argument("--notes", type=Path, metavar="FILE", help="Markdown for the card: what was tried, limits")
    p.add_argument("--licence", default="Apache-2.0", help="of the weights (default: %(default)s)")
    p.add_argument("--pretrained", type=Path, metavar="DIR", help="folder of weights (default: the package's)")
    add_former_name(p, "--box", "--pretrained", type=Path)
    p.add_argument("--docs", type=Path, default=Path("docs/models"), metavar="DIR", help="(default: %(default)s)")
    p.add_argument("--table", action="store_true", help="print the table of all pretrained weights, measure nothing")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.release import pretrained_table, release
    from tfflow.models import PRETRAINED

    if args.table:
        print(pretrained_table())
        return 0
    notes = args.notes.read_text("utf-8") if args.notes else ""
    result = release(
        args.name,
        args.data,
        run=args.run,
        notes=notes,
        licence=args.licence,
        pretrained=args.pretrained or PRETRAINED,
        docs=args.docs,
        progress=True,
    )
    print(result.table())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
