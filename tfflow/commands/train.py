"""Trains a flow network, by default without labels and on the built-in moving scenes."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, add_data, add_on_error, size
from tfflow.errors import command

EXAMPLES = """examples:
  tfflow train                                                # sized for 2 cores, no download
  tfflow train --data video:holiday.mp4 --out runs/holiday    # your own video, from pretrained weights
  tfflow train --recipe ddflow --data chairs:/data/FlyingChairs --val sintel-clean:/data/sintel
  tfflow train --recipe my_method.py --weights runs/holiday --data frames:my/frames

The same command run again continues where it stopped. Several machines: set TF_CONFIG on each, as tf.distribute
describes it, and give all of them the same --out on a shared disk. `python -m tfflow.train` is the same command."""

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def parser() -> Parser:
    p = Parser("tfflow train", __doc__, EXAMPLES)
    add = p.add_argument
    add(
        "--recipe",
        help="method: a name, see `tfflow recipes`, or a Python file of your own that holds one, which is executed "
        "(default: ddflow_lk; with --model ddflow_quick; with --weights ddflow_tune; with your own frames "
        "textured_tune)",
    )
    add("--model", metavar="NAME", help="network (default: the recipe's)")
    add(
        "--weights",
        metavar="W",
        help="start from trained weights: a name, a file, a run, or 'random' for none (default: pretrained weights "
        "if the data has no ground truth and no --recipe is given, else what the recipe says)",
    )
    add_data(p, "frames to train on (default: scenes); repeatable")
    add("--textures", metavar="DIR", help="cut the textures of the built-in scenes from these photographs")
    add(
        "--val",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help="what to measure on (default: unseen scenes, or some of --data); repeatable",
    )
    add("--val-limit", type=int, default=32, metavar="N", help="pairs of --val to measure (default: %(default)s)")
    add("--out", type=Path, metavar="DIR", help="output folder (default: runs/RECIPE-MODEL-DATA)")
    add("--steps", type=int, metavar="N", help="updates in all; phases keep their shares (default: the recipe's)")
    add("--batch", type=int, metavar="N", help="pairs a step, over all devices (default: the recipe's)")
    add("--crop", type=size, metavar="HxW", help="size of the training crop (default: the recipe's, or what fits)")
    add("--learning-rate", type=float, metavar="R", help="scales the recipe's schedule so that it begins at R")
    add(
        "--phase-learning-rate",
        type=float,
        metavar="R",
        help="as --learning-rate, but each phase of the recipe begins at R",
    )
    add("--seed", type=int, default=0, metavar="N", help="of weights, data and augmentation (default: %(default)s)")
    add(
        "--devices",
        default="auto",
        metavar="D",
        help="auto, or e.g. GPU:0,GPU:1 or CPU:2 (default: all GPUs, else CPU)",
    )
    add(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the network's inner tensors (default: %(default)s)",
    )
    add(
        "--xla", action="store_true", help="compile the whole step: adds about a minute a phase, then is faster on GPUs"
    )
    add_on_error(p)
    add("--save-every", type=float, default=120.0, metavar="SECONDS", help="between checkpoints (default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.train import train
    from tfflow.terminal import wide_console

    result = train(
        args.data,
        recipe=args.recipe,
        model=args.model,
        weights=args.weights,
        val=args.val,
        val_limit=args.val_limit,
        textures=args.textures,
        out=args.out,
        steps=args.steps,
        batch=args.batch,
        crop=args.crop,
        learning_rate=args.learning_rate,
        phase_learning_rate=args.phase_learning_rate,
        seed=args.seed,
        devices=args.devices,
        precision=args.precision,
        xla=args.xla,
        on_error=args.on_error,
        save_every=args.save_every,
        progress=True,
    )
    console = wide_console()
    where = f"weights in {result.folder}, report in {result.report}"
    if not result.new:
        console.print(f"this run has ended after {result.steps:,} steps: {where}")
    elif result.report.is_file():  # of several machines one writes it
        console.print(result)
        console.print(f"trained in {result.seconds / 60:.1f} min; {where}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
