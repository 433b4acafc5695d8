"""`python -m tfflow.prove`: does training on unlabelled frames of a domain pay? Measured where the truth is known.

Domains are built-in scenes with other statistics than the weights have seen: dark and noisy, fast pans with blur, fog.
The network trains from its pretrained weights on pairs without labels, and is measured on other pairs with ground truth.
Each training is a run of `tfflow.train` in a folder of --out: the same command continues where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

import tf_keras as keras

from tfflow.commands import train
from tfflow.commands.markdown import table
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines, benchmark
from tfflow.files import write_json
from tfflow.terminal import Parser, console
from tfflow.training.best import kept_step
from tfflow.training.checkpoint import read_state

DOMAINS = ("night", "pan", "fog")
RESULTS = "proof.json"


def parser() -> Parser:
    p = Parser(prog="python -m tfflow.prove", description=__doc__)
    p.add_argument("--domains", nargs="+", choices=DOMAINS, default=list(DOMAINS), help="(default: all)")
    p.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each domain (default: %(default)s)")
    p.add_argument("--steps", type=int, default=600, metavar="N", help="of each training (default: %(default)s)")
    p.add_argument("--size", default="192x256", metavar="HxW", help="of the scenes (default: %(default)s)")
    p.add_argument("--crop", default="160x224", metavar="HxW", help="trained on (default: %(default)s)")
    p.add_argument("--pairs", type=int, default=200, metavar="N", help="without labels (default: %(default)s)")
    p.add_argument("--recipe", default="rendered_tune", metavar="NAME", help="(default: %(default)s)")
    p.add_argument("--weights", default="pwcnet_mobile", metavar="W", help="to begin with (default: %(default)s)")
    p.add_argument("--out", type=Path, default=Path("runs/proof"), metavar="DIR", help="(default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.seeds < 1:
        raise InputError(f"--seeds must be at least 1, got {args.seeds}")
    screen, rows, results = console(120), [], {}
    for domain in args.domains:
        test = f"scenes:preset={domain},size={args.size},seed={train.UNSEEN},count=64"
        dis = baselines.dis("medium")
        error = benchmark.run({"dis": dis}, open_source(test))["dis"].summary()["mean_over_images"]["epe"]
        runs = []
        for seed in range(args.seeds):
            out = args.out / f"{domain}-{seed}"
            code = train.main(_training(args, domain, test, seed, out))
            if code:
                return code
            runs.append(_scores(out))
            keras.backend.clear_session()  # graphs of the last training are not needed any more
        before, after, minutes = (mean(run[key] for run in runs) for key in ("before", "after", "minutes"))
        rows.append([domain, before, after, f"{100 * (1 - after / before):+.1f} %", error, f"{minutes:.1f}", len(runs)])
        results[domain] = {"runs": runs, "dis": error}
        write_json(args.out / RESULTS, {"settings": {k: str(v) for k, v in vars(args).items()}, "domains": results})
    heads = ["EPE, 64 pairs", "before", "after", "gain", "DIS medium", "minutes of steps", "trainings"]
    screen.print(table(heads, rows), soft_wrap=True)
    return 0


def _training(args: argparse.Namespace, domain: str, test: str, seed: int, out: Path) -> list[str]:
    data = f"scenes:preset={domain},size={args.size},seed={seed},count={args.pairs}"
    given = {"recipe": args.recipe, "weights": args.weights, "steps": args.steps, "crop": args.crop, "data": data,
             "val": test, "val-limit": 64, "seed": seed, "out": out}  # fmt: skip
    return [str(x) for key, value in given.items() for x in (f"--{key}", value)]


def _scores(out: Path) -> dict[str, Any]:
    state = read_state(out)
    assert state is not None  # it ended
    scores = state[1].scores
    return {
        "before": scores[0]["epe"],
        "after": scores[-1]["epe"],
        "kept_step": kept_step(out),
        "minutes": state[1].seconds / 60,
        "judged": state[1].judged,
    }


if __name__ == "__main__":
    raise SystemExit(main())
