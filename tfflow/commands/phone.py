"""Trains on your video, measures the gain, exports for the phone and checks the files, all in one folder.

About 20 minutes on two cores for a minute of video; --hours 8 for a night. The same command continues where it stopped.
"""

from __future__ import annotations

import re
from pathlib import Path

from tfflow.commands.options import Parser, add_former_name, size
from tfflow.defaults import WEIGHTS
from tfflow.errors import command
from tfflow.exporting.precisions import PRECISIONS, chosen, require_libraries

EXAMPLES = """examples:
  tfflow phone holiday.mp4
  tfflow phone holiday.mp4 --hours 8 --out holiday"""


def parser() -> Parser:
    p = Parser("tfflow phone", __doc__, EXAMPLES)
    add = p.add_argument
    add("video", metavar="VIDEO", help="a video, a folder of frames, or KIND:PATH")
    add("--out", type=Path, metavar="DIR", help="(default: phone-NAME in the current folder, after the video)")
    add(
        "--hours",
        type=float,
        metavar="H",
        help="for all; this machine's pace is measured first (default: about 20 minutes)",
    )
    add("--steps", type=int, metavar="N", help="steps of training, instead of --hours")
    add("--weights", default=WEIGHTS, metavar="W", help="pretrained weights to begin with (default: %(default)s)")
    add_former_name(p, "--network", "--weights")
    add("--size", type=size, default=(256, 448), metavar="HxW", help="of the phone's frames (default: 256x448)")
    add(
        "--precision",
        default="int8-qat,fp16",
        metavar="P",
        help=f"one or more of {', '.join(PRECISIONS)} (default: %(default)s)",
    )
    add("--skip-training", action="store_true", help="export the pretrained weights as they are")
    add("--devices", default="auto", help="as of tfflow train (default: %(default)s)")
    add("--seed", type=int, default=0, metavar="N", help="(default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    require_libraries(chosen(args.precision))

    from tfflow.api.phone import phone
    from tfflow.evaluation.report import safe_name
    from tfflow.terminal import wide_console

    stem = Path(re.split(r"[/\\]", args.video.rstrip("/\\"))[-1].rpartition(":")[2]).stem
    result = phone(
        args.video,
        args.out or Path(f"phone-{safe_name(stem)}"),
        args.hours,
        weights=args.weights,
        size=args.size,
        precision=args.precision,
        steps=args.steps,
        skip_training=args.skip_training,
        devices=args.devices,
        seed=args.seed,
        progress=True,
    )
    console = wide_console()
    console.print(f"{result.verdict}\nfolder {result.folder}")
    for name in result.rejected:
        console.print(f"{name}: the file does not keep its limits; see {result.folder / name / 'report.json'}")
    if result.page:
        console.print(f"see it at work: {result.page}")
    return int(bool(result.rejected))


if __name__ == "__main__":
    raise SystemExit(main())
