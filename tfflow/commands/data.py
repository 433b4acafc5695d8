"""Lists the kinds of data. Options such as --data take a kind, a colon and a path: sintel-final:/data/sintel.

A path alone means a folder of frames or a video file. docs/data.md describes each kind.
"""

from __future__ import annotations

from rich import box
from rich.table import Table

from tfflow.commands.options import Parser
from tfflow.errors import command
from tfflow.terminal import console


def parser() -> Parser:
    return Parser("tfflow data", __doc__)


@command
def main(argv: list[str] | None = None) -> int:
    parser().parse_args(argv)

    from tfflow.data.sources import described_kinds

    table = Table("kind", "what it reads", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for kinds, text in described_kinds().items():
        table.add_row(kinds, text)
    console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
