"""Measures how long exported networks take on this machine, beside DIS; and says how to measure on a phone, by adb."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, threads
from tfflow.errors import command
from tfflow.exporting.precisions import require_libraries

EXAMPLES = "`python export/benchmark.py` is the same command."


def parser() -> Parser:
    p = Parser("tfflow benchmark-export", __doc__, EXAMPLES)
    p.add_argument("models", nargs="+", type=Path, metavar="FILE", help=".tflite files, or folders of exports")
    p.add_argument("--threads", type=threads, default=[1, 2, 4], metavar="LIST", help="default: 1,2,4")
    p.add_argument("--runs", type=int, default=50, metavar="N", help="timed runs of each (default: %(default)s)")
    p.add_argument("--json", type=Path, metavar="FILE", help="the numbers, too, as JSON")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    require_libraries([])

    from tfflow.exporting.timing import adb_lines, benchmark
    from tfflow.terminal import wide_console

    result = benchmark(args.models, threads=args.threads, runs=args.runs)
    console = wide_console()

    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    say(f"this desktop: median (90th percentile) of {result.runs} warm runs, and ratios to the first file and to DIS")
    say(result.table())
    say(f"{result.machine}; a 4096 matrix product runs at {result.matmul_gflops:.0f} GFLOP/s")
    say("on a phone, with USB debugging on:")
    for file in result.files:
        for line in adb_lines(file.path):
            say(f"  {line}")
    if args.json:
        result.save(args.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
