"""`python export/benchmark.py`: how long exported networks take on this machine, beside DIS; and on a phone, by adb."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from tfflow.errors import InputError, command
from tfflow.evaluation.report import wide_console
from tfflow.evaluation.speed import machine, matmul_rate
from tfflow.export.timing import RUNS, adb_lines, dis_milliseconds, model_milliseconds
from tfflow.files import write_json
from tfflow.models.tflite import TFLiteModel
from tfflow.terminal import Parser


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
    if args.runs < 1:
        raise InputError(f"--runs must be at least 1, got {args.runs}")
    paths = [_file(path) for path in args.models]
    sizes = list(dict.fromkeys(TFLiteModel(path).size for path in paths))
    console = wide_console()
    rows = [(str(path), [model_milliseconds(path, n, args.runs) for n in threads]) for path in paths]
    for size in sizes:
        label = f"OpenCV DIS medium, {size[0]}x{size[1]}"
        rows.append((label, [dis_milliseconds(size, n, args.runs) for n in threads]))
    table = Table(title=f"this desktop, ms: median (90th percentile) of {args.runs} warm runs")
    table.add_column("network")
    for n in threads:
        table.add_column(f"{n} thread{'s' * (n > 1)}", justify="right")
    for label, times in rows:
        table.add_row(label, *(f"{median:.1f} ({p90:.1f})" for median, p90 in times))
    rate = matmul_rate()
    console.print(table)
    console.print(f"{machine()}; a 4096 matrix product runs at {rate / 1e9:.0f} GFLOP/s", highlight=False)
    console.print("on a phone, with USB debugging on:", highlight=False)
    for path in paths:
        for line in adb_lines(path):
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if args.json:
        result = {"machine": machine(), "matmul_gflops": rate / 1e9, "threads": threads, "ms": dict(rows)}
        write_json(args.json, result)
    return 0


def _threads(given: str) -> list[int]:
    try:
        threads = [int(n) for n in given.split(",")]
    except ValueError:
        threads = []
    if not threads or min(threads) < 1:
        raise InputError(f"--threads must be whole numbers above 0 with commas, such as 1,2,4; got {given!r}")
    return threads


def _file(path: Path) -> Path:
    file = path / "model.tflite" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"no exported network at {str(path)!r}: give a .tflite, or the --out of export/to_tflite.py")
    return file


if __name__ == "__main__":
    raise SystemExit(main())
