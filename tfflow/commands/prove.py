"""Measures whether training on unlabelled frames of a domain helps, on scenes with known flow.

Domains are built-in scenes with other statistics than the weights have seen: dark and noisy, fast pans with blur, fog.
The network trains from its pretrained weights on pairs without labels, and is measured on others with ground truth.
Each training is a run of `tfflow train` in a folder of --out: the same command continues where it stopped.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import Parser, size
from tfflow.defaults import DOMAINS, WEIGHTS
from tfflow.errors import command

EXAMPLES = """example:
  tfflow prove --domains night --seeds 1 --steps 600"""


def parser() -> Parser:
    p = Parser("tfflow prove", __doc__, EXAMPLES)
    add = p.add_argument
    add("--domains", nargs="+", choices=DOMAINS, default=list(DOMAINS), help="(default: all)")
    add("--seeds", type=int, default=3, metavar="N", help="trainings of each domain (default: %(default)s)")
    add("--steps", type=int, default=600, metavar="N", help="steps of each training (default: %(default)s)")
    add("--size", type=size, default=(192, 256), metavar="HxW", help="of the scenes, px (default: 192x256)")
    add(
        "--crop",
        type=size,
        default=(192, 256),
        metavar="HxW",
        help="part of a frame to train on (default: 192x256)",
    )
    add(
        "--pairs",
        type=int,
        default=200,
        metavar="N",
        help="training pairs of each domain, used without labels (default: %(default)s)",
    )
    add("--recipe", default="textured_tune", metavar="NAME", help="the method (default: %(default)s)")
    add("--weights", default=WEIGHTS, metavar="W", help="trained weights to start from (default: %(default)s)")
    add("--out", type=Path, default=Path("runs/proof"), metavar="DIR", help="(default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.proof import prove
    from tfflow.terminal import wide_console

    found = prove(
        args.domains,
        seeds=args.seeds,
        steps=args.steps,
        size=args.size,
        crop=args.crop,
        pairs=args.pairs,
        recipe=args.recipe,
        weights=args.weights,
        out=args.out,
        progress=True,
    )
    wide_console().print(found.table(), soft_wrap=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
