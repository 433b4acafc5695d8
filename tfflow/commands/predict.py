"""Writes the flow of two images, a folder or a video, as files, pictures or a video."""

from __future__ import annotations

from pathlib import Path

from tfflow.commands.options import REFINEMENTS, Parser, add_former_name, add_on_error, add_scales
from tfflow.defaults import WEIGHTS
from tfflow.errors import command
from tfflow.messages import counted

EXAMPLES = """examples:
  tfflow predict frame1.png frame2.png --out flow.flo
  tfflow predict clip/ --formats flo,occlusion,confidence --both --out flow
  tfflow predict holiday.mp4 --weights runs/mine --layout blend --full 20 --out flow.mp4"""

LAYOUTS = ("side", "blend", "flow")
FORMATS = (
    "flo",
    "kitti",
    "npy",
    "npz",
    "colour",
    "arrows",
    "sheet",
    "occlusion",
    "confidence",
    "warped",
    "csv",
    "video",
)


def parser() -> Parser:
    p = Parser("tfflow predict", __doc__, EXAMPLES)
    p.add_argument("inputs", nargs="+", metavar="PATH", help="two or more images, or a folder, a video, KIND:PATH")
    p.add_argument(
        "--weights",
        default=WEIGHTS,
        metavar="W",
        help="a name, a file, or a run of tfflow train (default: %(default)s)",
    )
    p.add_argument(
        "--out",
        type=Path,
        default=Path("flow"),
        metavar="PLACE",
        help="a folder (default: flow), or one file: of a pair .flo, .npy, .npz, .png; of all pairs .csv, .mp4, .webm",
    )
    p.add_argument(
        "--formats",
        metavar="LIST",
        help=f"some of: {', '.join(FORMATS)}; with commas between them (default: flo,colour,arrows; of a video: video)",
    )
    p.add_argument("--both", action="store_true", help="the flow from the second frame to the first, too")
    add_scales(p)
    p.add_argument("--refine", choices=REFINEMENTS, help="after the network: OpenCV's variational refinement")
    p.add_argument("--warm-start", action="store_true", help="start each pair from the last one's flow, until a cut")
    p.add_argument("--no-cuts", action="store_true", help="take every pair, also where the scene changes between two")
    p.add_argument(
        "--full",
        type=float,
        metavar="PX",
        help="flow, px, drawn in the strongest colour (default: 99th percentile over pairs of the whole input)",
    )
    add_former_name(p, "--max-flow", "--full", type=float)
    p.add_argument("--fps", type=float, help="frames a second of the video (default: as the input's, else 10)")
    p.add_argument(
        "--layout",
        choices=LAYOUTS,
        default="side",
        help="of the video: frame and flow side by side (default), the flow blended over the frame, the flow alone",
    )
    p.add_argument("--batch", type=int, default=1, metavar="N", help="pairs at a time (default: 1)")
    add_on_error(p)
    p.add_argument("--overwrite", action="store_true", help="replace earlier predictions in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.api.predict import predict_files
    from tfflow.evaluation.progress import progress_bar
    from tfflow.terminal import wide_console

    console = wide_console()
    count = 0
    try:
        with progress_bar(console, " ".join(args.inputs[:2] + ["..."] * (len(args.inputs) > 2))) as shown:

            def progress(name: str, done: int, total: int) -> None:
                nonlocal count
                count = done
                shown(done, total)

            done = predict_files(
                args.inputs,
                args.out,
                args.weights,
                formats=args.formats.split(",") if args.formats is not None else None,
                both=args.both,
                scales=args.scales,
                refine=args.refine,
                warm_start=args.warm_start,
                cuts=not args.no_cuts,
                full=args.full,
                fps=args.fps,
                layout=args.layout,
                batch=args.batch,
                on_error=args.on_error,
                overwrite=args.overwrite,
                progress=progress,
            )
    except BaseException:
        if count:
            console.print(f"stopped after {counted(count, 'pair')}; what is whole is in {args.out}")
        raise
    what = f"flow of {counted(done.pairs, 'pair')} written to {done.out} ({', '.join(done.formats)})"
    console.print(what)
    if done.cuts:
        console.print(f"no flow across {counted(len(done.cuts), 'shot cut')}, after {', '.join(done.cuts)}")
    if done.scale is not None:
        arrows = f", arrows are {done.stretch} times the flow" if "arrows" in done.formats else ""
        console.print(f"full colour = {done.scale:.3g} px{arrows}; `--full PX` sets it")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
