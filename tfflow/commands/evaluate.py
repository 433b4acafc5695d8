"""Measures flow networks, and classical methods beside them, on any data."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import REFINEMENTS, Parser, add_data, add_on_error, add_scales
from tfflow.errors import command

EXAMPLES = """examples:
  tfflow evaluate --weights runs/mine --data sintel-final:/data/sintel --baselines --out scores
  tfflow evaluate --weights pwcnet_mobile_v4 --data video:holiday.mp4
  tfflow evaluate --weights W --data kitti2015:/data/kitti2015 --submission kitti --out send"""


SUBMISSIONS = ("kitti", "sintel")


def parser() -> Parser:
    p = Parser("tfflow evaluate", __doc__, EXAMPLES)
    p.add_argument(
        "--weights", action="append", default=[], metavar="W", help="trained weights: a name, a file, a run; repeatable"
    )
    p.add_argument("--model", action="append", default=[], metavar="NAME", help="an untrained network; repeatable")
    add_scales(p)
    p.add_argument("--refine", choices=REFINEMENTS, help="after each network: OpenCV's variational refinement")
    p.add_argument("--baselines", action="store_true", help="zero flow, Farneback and DIS, too")
    add_data(p, "what to measure on; repeatable", required=True)
    p.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for results.json, results.csv, images.csv, and for --error-maps and --submission",
    )
    p.add_argument("--error-maps", action="store_true", help="a sheet for each pair: frame, flow, errors (needs --out)")
    p.add_argument("--submission", choices=SUBMISSIONS, help="flow files for the server (needs --out)")
    p.add_argument(
        "--confidence",
        action="store_true",
        help="how well the networks' confidence predicts their error (needs ground truth)",
    )
    p.add_argument(
        "--sequences",
        action="store_true",
        help="over consecutive pairs: flicker, and tracked points, with and without a warm start, beside Lucas-Kanade",
    )
    add_on_error(p)
    p.add_argument("--limit", type=int, metavar="N", help="the first N pairs of each source only")
    p.add_argument("--batch", type=int, default=1, metavar="N", help="pairs of one size at a time (default: 1)")
    p.add_argument("--overwrite", action="store_true", help="replace earlier results in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.evaluate import evaluate
    from tfflow.terminal import wide_console

    console = wide_console()
    evaluate(
        args.weights,
        args.data,
        model=args.model,
        baselines=args.baselines,
        scales=args.scales,
        refine=args.refine,
        out=args.out,
        error_maps=args.error_maps,
        submission=args.submission,
        confidence=args.confidence,
        sequences=args.sequences,
        on_error=args.on_error,
        limit=args.limit,
        batch=args.batch,
        overwrite=args.overwrite,
        progress=True,
        each=console.print,
    )
    if args.out:
        console.print(f"written to {args.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
