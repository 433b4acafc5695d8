"""`python -m tfflow.predict`: the flow of two images, a folder, or a video, as files, pictures, a video."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tfflow import load
from tfflow.commands.options import Parser
from tfflow.data.damage import ON_ERROR
from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.data.tree import files
from tfflow.errors import InputError, command, unknown_name
from tfflow.evaluation.prediction import LOOK, Frames, open_inputs, predict_all, with_scale
from tfflow.evaluation.refinement import REFINEMENTS, refined
from tfflow.evaluation.report import progress_bar, wide_console
from tfflow.evaluation.writer import SETTINGS, Writer
from tfflow.models.cascade import SCALES_HELP

EXAMPLES = """examples:
  python -m tfflow.predict frame1.png frame2.png
  python -m tfflow.predict clip/ --formats flo,sheet --both --out flow
  python -m tfflow.predict holiday.mp4 --weights runs/mine --max-flow 20"""


def parser() -> Parser:
    p = Parser(
        prog="tfflow predict",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("inputs", nargs="+", metavar="PATH", help="two or more images, or a folder, a video, KIND:PATH")
    p.add_argument("--weights", default="pwcnet_mobile", metavar="W", help="a name, a file, a run of tfflow.train")
    p.add_argument("--out", type=Path, default=Path("flow"), metavar="DIR", help="where to write (default: flow)")
    p.add_argument(
        "--formats",
        metavar="LIST",
        help=f"of {','.join(Writer.FORMATS)} (default: flo,colour,arrows; of a video: video)",
    )
    p.add_argument("--both", action="store_true", help="the flow from the second frame to the first, too")
    p.add_argument("--scales", default="1", metavar="S,S", help=SCALES_HELP)
    p.add_argument("--refine", choices=REFINEMENTS, help="after the network: OpenCV's variational refinement")
    p.add_argument(
        "--max-flow",
        type=float,
        metavar="PX",
        help=f"length shown in full colour (default: 99th percentile of the first {LOOK} pairs)",
    )
    p.add_argument("--fps", type=float, help="frames a second of the video (default: as the input's, else 10)")
    p.add_argument("--batch", type=int, default=1, metavar="N", help="pairs at a time (default: 1)")
    p.add_argument("--on-error", choices=ON_ERROR, default="stop", help="at a damaged frame (default: stop)")
    p.add_argument("--overwrite", action="store_true", help="replace earlier predictions in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    frames = open_inputs(args.inputs, args.on_error)
    formats = _formats(args.formats, frames)
    _check(args)
    model = load(args.weights, args.scales.split(","))
    predictor = refined(model, args.refine) if args.refine else model
    console = wide_console()
    scale, predicted = with_scale(predict_all(predictor, frames, args.batch, args.both), args.max_flow)
    settings = {
        "inputs": args.inputs,
        "weights": args.weights,
        "model": model.name,
        "scales": args.scales,
        "refine": args.refine,
        "formats": formats,
        "scale_px": scale,
        "scale_from": "--max-flow" if args.max_flow else f"99th percentile of the lengths over the first {LOOK} pairs",
    }
    writer = Writer(args.out, formats, scale, args.fps or frames.fps, settings)
    count = 0
    try:
        with writer, progress_bar(console, frames.name) as progress:
            for p in predicted:
                writer.write(p)
                count += 1
                progress(count, frames.total)
    except BaseException:
        console.print(f"stopped after {_pairs(count)}; what is whole is in {args.out}", highlight=False, markup=False)
        raise
    what = f"flow of {_pairs(count)} written to {args.out} ({', '.join(formats)})"
    console.print(what, highlight=False, markup=False)
    console.print(f"full colour = {scale:.3g} px, arrows are {writer.stretch} times the flow", highlight=False)
    return 0


def _pairs(count: int) -> str:
    return f"{count} pair{'s' * (count != 1)}"


def _formats(given: str | None, frames: Frames) -> list[str]:
    if given is None:
        return ["video"] if frames.video else ["flo", "colour", "arrows"]
    formats = [name.strip() for name in given.split(",") if name.strip()]
    for name in formats:
        if name not in Writer.FORMATS:
            raise unknown_name("format", name, Writer.FORMATS)
    if not formats:
        raise InputError(f"--formats names none: choose of {','.join(Writer.FORMATS)}")
    return formats


def _check(args: argparse.Namespace) -> None:
    for option in ("batch", "max_flow", "fps"):
        value = getattr(args, option)
        if value is not None and not 0 < value < 1e9:
            raise InputError(f"--{option.replace('_', '-')} must be above 0, got {value:g}")
    if inside := _among(args.out, args.inputs):
        raise InputError(
            f"--out {args.out} is where the frames of '{inside}' are: a picture of flow would be taken for one; choose "
            "another folder"
        )
    if (args.out / SETTINGS).exists() and not args.overwrite:
        raise InputError(f"{args.out} holds predictions already: choose another --out, or add --overwrite")
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=args.out):  # refused now, not after the first network pass
        pass


def _among(out: Path, inputs: list[str]) -> str | None:
    """The input among whose frames the files in `out` would lie."""
    out = out.expanduser().resolve()
    for given in inputs:
        path = Path(given.removeprefix("frames:")).expanduser().resolve()
        if out == (path if path.is_dir() else path.parent if path.suffix.lower() in IMAGE_SUFFIXES else None):
            return given
        if out.parent == path and out.is_dir() and files(out) and not (out / SETTINGS).exists():  # one clip of several
            return given
    return None


if __name__ == "__main__":
    raise SystemExit(main())
