"""`python -m tfflow.evaluate`: measures flow networks, and classical methods beside them, on any data."""

from __future__ import annotations

import argparse
from pathlib import Path

from tfflow import load
from tfflow.data.damage import ON_ERROR
from tfflow.data.records import Source
from tfflow.data.sources import SCENES, open_source
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines, benchmark, report, submission
from tfflow.evaluation.refinement import REFINEMENTS, refined, used_as
from tfflow.models.cascade import SCALES_HELP, check_scales
from tfflow.terminal import Parser

EXAMPLES = """examples:
  python -m tfflow.evaluate --weights runs/mine --data sintel-final:/data/sintel --baselines --out scores
  python -m tfflow.evaluate --weights pwcnet_mobile --data video:holiday.mp4
  python -m tfflow.evaluate --weights W --data kitti2015:/data/kitti2015 --submission kitti --out send"""


def parser() -> Parser:
    p = Parser(
        prog="python -m tfflow.evaluate",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument(
        "--weights", action="append", default=[], metavar="W", help="trained weights: a name, a file, a run; repeatable"
    )
    p.add_argument("--model", action="append", default=[], metavar="NAME", help="an untrained network; repeatable")
    p.add_argument("--scales", default="1", metavar="S,S", help=SCALES_HELP)
    p.add_argument("--refine", choices=REFINEMENTS, help="after each network: OpenCV's variational refinement")
    p.add_argument("--baselines", action="store_true", help="zero flow, Farneback and DIS too")
    p.add_argument("--data", action="append", required=True, metavar="KIND:PATH", help="what to measure on; repeatable")
    p.add_argument("--out", type=Path, metavar="DIR", help="results.json, results.csv, images.csv, and what follows")
    p.add_argument("--error-maps", action="store_true", help="a sheet for each pair: frame, flow, errors (needs --out)")
    p.add_argument("--submission", choices=sorted(submission.LAYOUTS), help="flow files for the server (needs --out)")
    p.add_argument("--on-error", choices=ON_ERROR, default="stop", help="at a damaged file (default: stop)")
    p.add_argument("--limit", type=int, metavar="N", help="the first N pairs of each source only")
    p.add_argument("--batch", type=int, default=1, metavar="N", help="pairs of one size at a time (default: 1)")
    p.add_argument("--overwrite", action="store_true", help="replace earlier results in --out")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    _check(args)
    sources = [open_source(data, args.on_error) for data in args.data]
    for source in sources:
        if source.name.partition(":")[0] == SCENES and len(source) >= 10_000 and args.limit is None:
            raise InputError(f"{source.name} has {len(source)} pairs: say how many, {SCENES}:count=N or --limit N")
    if args.submission:
        _check_submission(args.submission, sources)
    predictors = _predictors(args)
    console = report.wide_console()
    results: list[benchmark.Result] = []
    for source in sources:
        beside = baselines.all_baselines() if args.baselines else []
        if "flow12" not in source.truth and not beside:  # without ground truth a number says little by itself
            beside = [baselines.zero(), baselines.dis("medium")]
        compared = predictors | {baseline.name: baseline for baseline in beside}
        with report.progress_bar(console, source.name) as progress:
            found = benchmark.run(
                compared,
                source,
                batch=args.batch,
                limit=args.limit,
                each=_writer(args, source, set(predictors or compared)),
                progress=progress,
            )
        results += found.values()
        console.print(report.results_table(list(found.values())))
        if args.out:  # after each source, so that a stop at the next one loses nothing
            report.write_results(args.out, results, _settings(args))
    if args.out:
        console.print(f"written to {args.out}", highlight=False, markup=False)
    return 0


def _check(args: argparse.Namespace) -> None:
    if not (args.weights or args.model or args.baselines):
        raise InputError("nothing to measure: give --weights W, --model NAME or --baselines")
    for option, given in (("refine", args.refine), ("scales", args.scales != "1")):
        if given and not (args.weights or args.model):
            raise InputError(f"--{option} works on networks: give --weights W or --model NAME")
    if (args.error_maps or args.submission) and not args.out:
        raise InputError("--error-maps and --submission write files: say where with --out DIR")
    for option in ("limit", "batch"):
        if (value := getattr(args, option)) is not None and value < 1:
            raise InputError(f"--{option} must be at least 1, got {value}")
    if args.out and (args.out / "results.json").exists() and not args.overwrite:
        raise InputError(f"{args.out} holds results already: choose another --out, or add --overwrite")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)


def _check_submission(layout: str, sources: list[Source]) -> None:
    kinds = [source.name.partition(":")[0] for source in sources]
    fitting = [source for source, kind in zip(sources, kinds, strict=False) if kind in submission.LAYOUTS[layout]]
    for source in fitting or sources:
        submission.submission_path(layout, source.name, source.record_name(0))
    doubled = {kind for kind in kinds if kinds.count(kind) > 1 and kind in submission.LAYOUTS[layout]}
    if doubled:
        raise InputError(
            f"--submission needs each kind of --data once, got {', '.join(sorted(doubled))} more than once"
        )


def _predictors(args: argparse.Namespace) -> dict[str, baselines.Predictor]:
    scales = check_scales(args.scales.split(","))
    predictors: dict[str, baselines.Predictor] = {weights: load(weights, scales) for weights in args.weights}
    if args.model:
        from tfflow.models import untrained

        predictors |= {f"{name} (untrained)": untrained(name, scales) for name in args.model}
    if args.refine:
        predictors = {label: refined(p, args.refine) for label, p in predictors.items()}
    predictors = {used_as(label, scales, args.refine): p for label, p in predictors.items()}
    if args.submission and len(predictors) > 1:
        raise InputError(f"--submission takes one network, got {len(predictors)}: {', '.join(predictors)}")
    return predictors


def _writer(args: argparse.Namespace, source: Source, own: set[str]) -> benchmark.Each:
    """Writes what was asked for of each flow, for the networks alone where there are any."""

    def each(label, name, sample, flow12):
        if label not in own:
            return
        if args.error_maps:
            folder = args.out / "error_maps" / report.safe_name(source.name) / report.safe_name(label)
            report.write_error_map(folder / f"{name}.png", label, sample, flow12)
        if args.submission and source.name.partition(":")[0] in submission.LAYOUTS[args.submission]:
            submission.write_submission(args.out / "submission", args.submission, source.name, name, flow12)

    return each


def _settings(args: argparse.Namespace) -> dict[str, object]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in sorted(vars(args).items())}


if __name__ == "__main__":
    raise SystemExit(main())
