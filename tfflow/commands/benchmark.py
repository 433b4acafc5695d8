"""Measures how fast each network predicts and learns here, and whether data keeps up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tfflow.api.sample import sample_pair
from tfflow.commands.options import Parser
from tfflow.commands.synthesize import write_scene
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.defaults import WEIGHTS
from tfflow.errors import InputError, command
from tfflow.evaluation import speed
from tfflow.evaluation.baselines import dis
from tfflow.files import write_json
from tfflow.models import VARIANTS, load, untrained, variant
from tfflow.models.flops import CONVENTION
from tfflow.terminal import wide_console

SMALL, LARGE = (f"{h}x{w}" for h, w in speed.FORWARD_SIZES)
STEP = f"{speed.STEP_BATCH}x{speed.STEP_SIZE[0]}x{speed.STEP_SIZE[1]}"


def parser() -> Parser:
    p = Parser("tfflow benchmark", __doc__)
    p.add_argument("--models", nargs="+", metavar="NAME", help="networks (default: all)")
    p.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help="what readers read, repeatable (default: a few pairs in Flying Chairs' layout and size, made for it)",
    )
    p.add_argument("--no-xla", action="store_true", help="leave out the step compiled whole (a minute a network)")
    p.add_argument(
        "--video",
        action="append",
        default=[],
        metavar="VIDEO",
        help="instead: pairs a second of this video beside OpenCV's DIS medium, and the time of tfflow predict on one "
        "pair in a new process; repeatable",
    )
    p.add_argument(
        "--weights", action="append", metavar="W", help="of --video, repeatable (default: those of tfflow predict)"
    )
    p.add_argument("--pairs", type=int, default=250, metavar="N", help="of each --video (default: %(default)s)")
    p.add_argument("--quick", action="store_true", help="few runs, a smaller matrix, and no XLA")
    p.add_argument("--out", type=Path, metavar="FILE.json", help="write all numbers there too")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.video:
        return _videos(args.video, args.weights or [WEIGHTS], args.pairs, args.out)
    models = args.models or list(VARIANTS)
    for name in models:
        variant(name)
    if args.out and args.out.is_dir():
        raise InputError(f"--out must be a file, '{args.out}' is a folder")
    sources = [open_source(data) for data in args.data]
    console = wide_console()
    machine = speed.machine()
    console.print(machine, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        results = {"machine": machine, **_measure(models, sources, bar, args.quick, not (args.no_xla or args.quick))}
    _print(console, results)
    if args.out:
        write_json(args.out, results)
    return 0


def _videos(videos: list[str], weights: list[str], pairs: int, out: Path | None) -> int:
    """Prints a row for each network and for DIS medium, a column for each video."""
    if pairs < 1:
        raise InputError(f"--pairs must be at least 1, got {pairs}")
    console = wide_console()
    machine = speed.machine()
    console.print(machine, highlight=False)
    rows: dict[str, dict[str, float]] = {}
    for name, predictor in [*((w, load(w)) for w in weights), ("DIS medium", dis())]:
        rates = {video: speed.pairs_per_second(predictor, video, pairs) for video in videos}
        rows[name] = {f"{Path(video).name}, {count} pairs/s": rate for video, (rate, count) in rates.items()}
    for name in weights:
        with tempfile.TemporaryDirectory() as folder:
            line = ["predict", *map(str, sample_pair()), "--weights", name, "--out", f"{folder}/flow.flo"]
            rows[name]["one pair, new process, s"] = speed.process_seconds(line)
    heads = list(rows[weights[0]])
    table = _table("", *heads)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[head]:.1f}" if head in row else "-" for head in heads))
    console.print(table)
    if out:
        write_json(out, {"machine": machine, "videos": rows})
    return 0


def _measure(models: list[str], sources: list[Source], bar: Progress, quick: bool, xla: bool) -> dict[str, Any]:
    effort: dict[str, Any] = {"at_least": 0.0, "runs": 1} if quick else {"at_least": 2.0, "runs": 5}
    n = 1024 if quick else 4096
    task = bar.add_task("", total=1 + len(models) * (6 + xla) + 1 + max(1, len(sources)))

    def doing(what: str) -> None:
        bar.update(task, description=what)
        bar.advance(task)

    doing(f"{n}x{n} matrix product")
    rate = speed.matmul_rate(n, effort["runs"])
    networks: dict[str, dict[str, Any]] = {}
    for name in models:
        doing(f"{name}: counting")
        model = untrained(name)
        found: dict[str, Any] = {
            "parameters": variant(name).parameters or model.parameters,
            "forward_flops": {},
            "forward_seconds": {},
        }
        found["forward_flops"] = {_text(size): speed.forward_flops(name, size) for size in speed.FORWARD_SIZES}
        for size in speed.FORWARD_SIZES:
            doing(f"{name}: forward at {_text(size)}")
            found["forward_seconds"][_text(size)] = speed.forward_seconds(model, size, **effort)
        doing(f"{name}: training step")
        found["step_flops"] = speed.step_flops(name)
        found["step_seconds"] = speed.step_seconds(name, **effort)
        doing(f"{name}: training step in bfloat16")
        found["step_seconds_bfloat16"] = speed.step_seconds(name, precision="mixed_bfloat16", **effort)
        if xla:
            doing(f"{name}: training step compiled by XLA")
            found["step_seconds_xla"] = speed.step_seconds(name, xla=True, **effort)
        networks[name] = found
    data = {}
    for source in _sources(sources):
        doing(f"reading {source.name}")
        data[source.name] = speed.samples_per_second(source, 0.5 if quick else 4.0)
    return {
        "convention": CONVENTION,
        "matmul": {"n": n, "flops_per_second": rate},
        "networks": networks,
        "samples_per_second": data,
    }


def _sources(given: list[Source]) -> Iterator[Source]:
    """The generator, and what readers read."""
    scenes = Scenes(speed.STEP_SIZE)
    scenes.name = f"built-in scenes, {_text(speed.STEP_SIZE)}"
    yield scenes
    yield from given
    if not given:
        with tempfile.TemporaryDirectory() as folder:
            chairs = Scenes((384, 512), count=8)
            for i in range(len(chairs)):
                write_scene(chairs, i, Path(folder))
            source = open_source(f"chairs:{folder}")
            source.name = "chairs on disk, 384x512"
            yield source


def _print(console: Console, results: dict[str, Any]) -> None:
    """Three tables: forward, training step, data. "of product": share of the matrix product's FLOP/s."""
    matmul, networks = results["matmul"], results["networks"]
    rate, n = matmul["flops_per_second"], matmul["n"]
    console.print(f"{n}x{n} float32 matrix product: {rate / 1e9:.0f} GFLOP/s", highlight=False)
    console.print(f"FLOPs: {results['convention']}", highlight=False)

    forward = _table("forward, one pair", "parameters", f"GFLOP {SMALL}", "ms", "of product", f"GFLOP {LARGE}", "ms",
                     "of product")  # fmt: skip
    step = _table(f"training step, {STEP}", "GFLOP", "ms", "of product", "ms, bfloat16", "of product", "ms, XLA",
                  "of product")  # fmt: skip
    for name, r in networks.items():
        cells = [_cells(r["forward_flops"][size], r["forward_seconds"][size], rate) for size in (SMALL, LARGE)]
        forward.add_row(name, f"{r['parameters']:,}", *cells[0], *cells[1])
        compiled = _cells(r["step_flops"], r["step_seconds_xla"], rate)[1:] if "step_seconds_xla" in r else ("-", "-")
        half = _cells(r["step_flops"], r["step_seconds_bfloat16"], rate)[1:]
        step.add_row(name, *_cells(r["step_flops"], r["step_seconds"], rate), *half, *compiled)
    console.print(forward)
    console.print(step)

    data = _table("data, and how many times what a step needs", "pairs/s", *networks)
    for name, pairs in results["samples_per_second"].items():
        steps = [min(r["step_seconds"], r.get("step_seconds_xla", r["step_seconds"])) for r in networks.values()]
        data.add_row(name, f"{pairs:.0f}", *(f"{pairs * s / speed.STEP_BATCH:.1f}" for s in steps))
    console.print(data)


def _table(first: str, *others: str) -> Table:
    table = Table()
    table.add_column(first, no_wrap=True)
    for head in others:
        table.add_column(head, justify="right")
    return table


def _cells(flops: int, seconds: float, rate: float) -> tuple[str, str, str]:
    return f"{flops / 1e9:.1f}", f"{1e3 * seconds:.0f}", f"{flops / seconds / rate:.0%}"


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


if __name__ == "__main__":
    raise SystemExit(main())
