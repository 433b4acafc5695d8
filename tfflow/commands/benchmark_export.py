"""`python export/benchmark.py`: how long exported networks take on this machine, beside DIS; and on a phone, by adb."""

from __future__ import annotations

from pathlib import Path

from tfflow.errors import InputError, command
from tfflow.exporting.precisions import require_libraries
from tfflow.terminal import Parser

RUNS = 50


def parser() -> Parser:
    p = Parser(prog="python export/benchmark.py", description=__doc__)
    p.add_argument("models", nargs="+", type=Path, metavar="FILE", help=".tflite files, or folders of exports")
    p.add_argument("--threads", default="1,2,4", metavar="LIST", help="default: %(default)s")
    p.add_argument("--runs", type=int, default=RUNS, metavar="N", help="timed runs of each (default: %(default)s)")
    p.add_argument("--json", type=Path, metavar="FILE", help="the numbers, too, as JSON")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    threads = _threads(args.threads)
    require_libraries([])

    from tfflow.evaluation.report import wide_console
    from tfflow.exporting.timing import adb_lines, benchmark

    result = benchmark(args.models, threads=threads, runs=args.runs)
    console = wide_console()

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

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


def _threads(given: str) -> list[int]:
    try:
        threads = [int(n) for n in given.split(",")]
    except ValueError:
        threads = []
    if not threads or min(threads) < 1:
        raise InputError(f"--threads must be whole numbers above 0 with commas, such as 1,2,4; got {given!r}")
    return threads


if __name__ == "__main__":
    raise SystemExit(main())
