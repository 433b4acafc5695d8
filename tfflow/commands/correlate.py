"""Finds which measure without labels ranks networks as their endpoint error does.

Networks of different quality (pretrained weights, mixtures of them, weights with noise added, classical methods) are
measured on pairs with ground truth. The table holds, for each source of pairs and each measure, the rank correlation
(Spearman) with the endpoint error over the networks: 1 = the same order.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, add_data
from tfflow.defaults import WEIGHTS
from tfflow.errors import command

EXAMPLES = """example:
  tfflow correlate --data middlebury:/data/middlebury --data sintel-final:/data/sintel --limit 8"""


def parser() -> Parser:
    p = Parser("tfflow correlate", __doc__, EXAMPLES)
    add_data(p, "pairs with ground truth; repeatable, each is a row (default: built-in scenes of four kinds)")
    p.add_argument("--limit", type=int, default=8, metavar="N", help="pairs of each (default: %(default)s)")
    p.add_argument("--teacher", default=WEIGHTS, metavar="W", help="the teacher's weights (default: %(default)s)")
    p.add_argument("--weights", action="append", default=[], metavar="W", help="more weights to rank; repeatable")
    p.add_argument("--out", type=Path, metavar="FILE", help="write all numbers as JSON")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.correlation import correlate
    from tfflow.files import write_json
    from tfflow.terminal import wide_console

    console = wide_console()
    found = correlate(args.data, limit=args.limit, teacher=args.teacher, weights=args.weights, say=console.print)
    console.print(found.table(), soft_wrap=True)
    if args.out:
        write_json(args.out, found.scores)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
