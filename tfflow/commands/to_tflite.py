"""Exports trained weights to a .tflite for the phone, with its manifest and its report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tfflow.commands.options import Parser, add_data, size
from tfflow.errors import InputError, command
from tfflow.exporting.precisions import ALL, PRECISIONS, chosen, require_libraries

if TYPE_CHECKING:
    from rich.console import Console

    from tfflow.exporting.report import Report

EXAMPLES = """examples:
  tfflow export --weights pwcnet_mobile_v4 --size 256x448 --precision int8-qat --out out
  tfflow export --weights runs/holiday --size 256x448 --precision all --out out
  tfflow export --model spynet --size 256x448 --precision fp32,fp16,int8-ptq

`python export/to_tflite.py` is the same command."""


def parser() -> Parser:
    p = Parser("tfflow export", __doc__, EXAMPLES)
    p.add_argument("--weights", metavar="W", help="pretrained weights, a .safetensors file, a run of tfflow train")
    p.add_argument("--model", metavar="NAME", help="instead of --weights: a network with random weights")
    p.add_argument(
        "--size",
        type=size,
        required=True,
        metavar="HxW",
        help="of the images, height x width, multiples of the network's stride: 256x448",
    )
    p.add_argument(
        "--precision",
        default="fp32",
        metavar="P",
        help=f"one or more of {', '.join(PRECISIONS)}, with commas; or {ALL} (default: %(default)s)",
    )
    p.add_argument(
        "--out",
        type=Path,
        default=Path("out"),
        metavar="DIR",
        help="for model.tflite, model.json, report.*; "
        "of several precisions a folder each, and ladder.md, a table that compares them (default: %(default)s)",
    )
    p.add_argument("--both", action="store_true", help="flow from frame 2 to frame 1, too")
    p.add_argument("--quarter", action="store_true", help="flow at a quarter of the height and width")
    p.add_argument("--uint8", action="store_true", help="images of 0 to 255, as a camera gives them")
    add_data(p, "report on this, too; repeatable")
    p.add_argument("--limit", type=int, default=32, metavar="N", help="pairs to report on (default: %(default)s)")
    p.add_argument(
        "--calibration",
        metavar="KIND:PATH",
        help="frames for int8 ranges (default: frames or video that the run of --weights learned from, else scenes)",
    )
    p.add_argument("--train", metavar="KIND:PATH", help="frames to fine-tune int8-qat on (default: as --calibration)")
    p.add_argument(
        "--recipe",
        metavar="R",
        help="for int8-qat: a name, or a Python file of your own, which is executed (default: that of the weights)",
    )
    p.add_argument("--steps", type=int, default=400, metavar="N", help="of int8-qat (default: %(default)s)")
    p.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="fine-tunings of int8-qat; the best is the file, ladder.md has all, mean and deviation (default: 1)",
    )
    p.add_argument("--devices", default="auto", help="for int8-qat, as of tfflow train (default: %(default)s)")
    p.add_argument("--overwrite", action="store_true", help="replace an earlier export in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    require_libraries(chosen(args.precision))
    if (args.weights is None) == (args.model is None):
        raise InputError("give either --weights W or, for random weights, --model NAME")

    from tfflow.api.export import export
    from tfflow.models import untrained
    from tfflow.terminal import wide_console

    result = export(
        args.weights or untrained(args.model),
        args.out,
        size=args.size,
        precision=args.precision,
        both=args.both,
        quarter=args.quarter,
        uint8=args.uint8,
        data=args.data,
        limit=args.limit,
        calibration=args.calibration,
        train=args.train,
        recipe=args.recipe,
        steps=args.steps,
        seeds=args.seeds,
        devices=args.devices,
        overwrite=args.overwrite,
        progress=True,
    )
    console = wide_console()
    show(console, result.reports)
    if len(result.exports) > 1 or result.seeds:
        console.print(result.table(), soft_wrap=True)
    return int(not result.accepted)


def show(console: Console, reports: Sequence[Report]) -> None:
    """Prints all, and what is beyond a limit."""
    from tfflow.exporting.report import tables

    console.print(tables(reports))
    for report in reports:
        for line in report.failures:
            console.print(f"{report.precision}: {line}", style="red")


if __name__ == "__main__":
    raise SystemExit(main())
