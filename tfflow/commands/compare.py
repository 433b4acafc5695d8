"""`python -m tfflow.compare RECIPE RECIPE ...`: trains methods alike, with several seeds each, and compares them.

Every method gets the same frames, steps, batch and crop, and is measured on the same unseen pairs. Each training is a
run of `tfflow.train` in a folder of --out, so that the same command continues where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import tf_keras as keras
from rich.table import Table

from tfflow.commands import train
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.evaluation import report
from tfflow.files import write_json
from tfflow.recipes import named
from tfflow.terminal import Parser
from tfflow.training.checkpoint import read_state

COLUMNS = {"epe": "EPE", "epe_noc": "EPE noc", "epe_occ": "EPE occ", "occ_f": "occlusion F"}
RESULTS = "comparison.json"
OWN = "own"

EXAMPLES = """examples:
  python -m tfflow.compare ablation_plain ablation_occlusion ablation_census ablation_distillation ddflow_quick
  python -m tfflow.compare back_to_basics unflow ddflow uflow --steps 500 --learning-rate 5e-4
  python -m tfflow.compare dstflow ddflow uflow --model own --crop 128x192 --steps 900 --seeds 1"""


def parser() -> Parser:
    p = Parser(
        prog="python -m tfflow.compare",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("recipes", nargs="+", metavar="RECIPE", help="methods, see `python -m tfflow.recipes`")
    p.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each (default: %(default)s)")
    p.add_argument(
        "--model", default="pwcnet_mobile", metavar="NAME",
        help=f"network of all, or '{OWN}': of each method the one of its paper (default: %(default)s)",
    )  # fmt: skip
    p.add_argument("--steps", type=int, default=1_800, metavar="N", help="of each training (default: %(default)s)")
    p.add_argument(
        "--learning-rate", type=float, metavar="R",
        help="every phase of every method begins at R: papers' rates are for more steps (default: each its own)",
    )  # fmt: skip
    p.add_argument("--batch", type=int, default=4, metavar="N", help="pairs a step (default: %(default)s)")
    p.add_argument("--crop", default="96x128", metavar="HxW", help="size trained on (default: %(default)s)")
    p.add_argument("--data", metavar="KIND:PATH", help="what to train on (default: built-in scenes of the crop's size)")
    p.add_argument(
        "--val", metavar="KIND:PATH", help="measured on, 64 pairs of it (default: other scenes of that size)"
    )
    p.add_argument("--out", type=Path, default=Path("runs/comparison"), metavar="DIR", help="(default: %(default)s)")
    p.add_argument("--xla", action="store_true", help="as of tfflow.train")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.seeds < 1:
        raise InputError(f"--seeds must be at least 1, got {args.seeds}")
    if repeated := [name for name in args.recipes if args.recipes.count(name) > 1]:
        raise InputError(f"{repeated[0]} is named twice")
    for name in args.recipes:
        named(name)
    if args.val and "flow12" not in (source := open_source(args.val)).truth:
        raise InputError(f"methods are compared by their endpoint error, and {source.name} has no ground truth")
    console = report.wide_console()
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in args.recipes}
    for seed in range(args.seeds):  # all methods of a seed first: half a comparison is one of fewer seeds
        for name in args.recipes:
            out = args.out / f"{name}-{seed}"
            code = train.main(_training(args, name, seed, out))
            if code:
                return code
            rows[name].append({"network": _network(args, name), **_scores(out)})
            keras.backend.clear_session()  # graphs of the last training are not needed any more
        write_json(args.out / RESULTS, {"settings": {k: str(v) for k, v in vars(args).items()}, "results": rows})
    console.print(table(rows))
    return 0


def _network(args: argparse.Namespace, name: str) -> str:
    """What the method called `name` trains."""
    return named(name).model if args.model == OWN else args.model


def _training(args: argparse.Namespace, name: str, seed: int, out: Path) -> list[str]:
    """What one training is told."""
    data = args.data or f"scenes:size={args.crop},seed={seed}"
    val = args.val or f"scenes:size={args.crop},seed={train.UNSEEN},count=64"
    told = {"recipe": name, "model": _network(args, name), "weights": train.RANDOM, "steps": args.steps,
            "batch": args.batch, "crop": args.crop, "data": data, "val": val, "val-limit": 64, "seed": seed,
            "out": out}  # fmt: skip
    options = [str(x) for key, value in told.items() for x in (f"--{key}", value)]
    rate = [] if args.learning_rate is None else ["--phase-learning-rate", str(args.learning_rate)]
    return [*options, *rate, *(["--xla"] if args.xla else [])]


def _scores(out: Path) -> dict[str, Any]:
    """What the run in `out` ended with."""
    state = read_state(out)
    assert state is not None  # it ended
    progress = state[1]
    kept = {key: progress.scores[-1][key] for key in COLUMNS if key in progress.scores[-1]}
    return {**kept, "steps_per_second": progress.step / progress.seconds}


def table(rows: dict[str, list[dict[str, Any]]]) -> Table:
    """A row a method: mean over its trainings, and the standard deviation among them; one network of all: title."""
    shown = {k: head for k, head in COLUMNS.items() if all(k in scores for runs in rows.values() for scores in runs)}
    networks = {name: runs[0]["network"] for name, runs in rows.items()}
    several = len({*networks.values()}) > 1
    title = None if several else f"{networks[next(iter(networks))]} by each method"
    columns = ["method", *["network"] * several, *shown.values(), "steps/s", "trainings"]
    result = Table(*columns, title=title, title_justify="left")
    for name, runs in rows.items():
        cells = [_spread([scores[key] for scores in runs]) for key in shown]
        rate = mean(scores["steps_per_second"] for scores in runs)
        names = [name, *[networks[name]] * several]
        result.add_row(*names, *cells, f"{rate:.2f}", str(len(runs)))
    return result


def _spread(values: list[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    raise SystemExit(main())
