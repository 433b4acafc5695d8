"""Trains methods alike, with several seeds each, and compares them.

Every method gets the same frames, steps, batch and crop, and is measured on the same unseen pairs. Each training is a
run of `tfflow train` in a folder of --out, so that the same command continues where it stopped.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, size
from tfflow.errors import command

EXAMPLES = """examples:
  tfflow compare ablation_plain ablation_occlusion ablation_census ablation_distillation ddflow_quick
  tfflow compare back_to_basics unflow ddflow uflow --steps 500 --learning-rate 5e-4
  tfflow compare dstflow ddflow uflow --model own --crop 128x192 --steps 900 --seeds 1"""


def parser() -> Parser:
    p = Parser("tfflow compare", __doc__, EXAMPLES)
    p.add_argument("recipes", nargs="+", metavar="RECIPE", help="methods: names, see `tfflow recipes`, or Python files")
    p.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each (default: %(default)s)")
    p.add_argument(
        "--model", default="pwcnet_mobile", metavar="NAME",
        help="the network that all methods train, or 'own': each trains the one of its paper (default: %(default)s)",
    )  # fmt: skip
    p.add_argument("--steps", type=int, default=1_800, metavar="N", help="of each training (default: %(default)s)")
    p.add_argument(
        "--learning-rate", type=float, metavar="R",
        help="every phase of every method begins at R: papers' rates are for more steps (default: each its own)",
    )  # fmt: skip
    p.add_argument("--batch", type=int, default=4, metavar="N", help="pairs a step (default: %(default)s)")
    p.add_argument("--crop", type=size, default=(96, 128), metavar="HxW", help="size trained on (default: 96x128)")
    p.add_argument("--data", metavar="KIND:PATH", help="what to train on (default: built-in scenes of the crop's size)")
    p.add_argument(
        "--val", metavar="KIND:PATH", help="measured on, 64 pairs of it (default: other scenes of that size)"
    )
    p.add_argument("--out", type=Path, default=Path("runs/comparison"), metavar="DIR", help="(default: %(default)s)")
    p.add_argument("--xla", action="store_true", help="as of tfflow train")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.compare import compare
    from tfflow.terminal import wide_console

    result = compare(
        args.recipes,
        seeds=args.seeds,
        model=args.model,
        steps=args.steps,
        learning_rate=args.learning_rate,
        batch=args.batch,
        crop=args.crop,
        data=args.data,
        val=args.val,
        out=args.out,
        xla=args.xla,
        progress=True,
    )
    wide_console().print(result)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
