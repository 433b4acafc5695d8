"""`python -m tfflow.train`: trains a flow network, by default without labels and on the built-in moving scenes."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import Any

import cv2
import tensorflow as tf

from tfflow.api.own_video import OwnVideo
from tfflow.commands.plan import FRESH, RANDOM, TUNE, at_rate, method, starting_weights
from tfflow.data.damage import ON_ERROR, warn
from tfflow.data.pipeline import Mixed, Spread, check_batch
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_scenes, open_source
from tfflow.data.survey import remark, survey
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines, benchmark, learned, report
from tfflow.evaluation.pictures import contact_sheet
from tfflow.models import RUN_WEIGHTS, load_float, variant, weights_file
from tfflow.models.weights import assign, model_arrays
from tfflow.recipes import Recipe
from tfflow.terminal import Parser
from tfflow.training.bar import Bar
from tfflow.training.best import kept_step
from tfflow.training.checkpoint import check_folder, claim_folder, read_state
from tfflow.training.cluster import machines_of
from tfflow.training.feed import Feed, check_sequences, check_truth
from tfflow.training.lock import one_writer
from tfflow.training.log import read_history
from tfflow.training.loop import Hooks, train
from tfflow.training.settings import run_settings
from tfflow.training.strategy import choose_strategy
from tfflow.training.trainer import PRECISIONS, Trainer

REPORT = "report.png"
"""The page of what was learned, written when all else is done."""

UNSEEN = 1_000_003
"""Added to the seed of the scenes trained on, for scenes to measure on."""

LARGEST = 10**9
"""Of any number that is given: steps, pairs, seconds."""

EXAMPLES = """examples:
  python -m tfflow.train                                                # sized for 2 cores, no download
  python -m tfflow.train --data video:holiday.mp4 --out runs/holiday    # your own video, from the weights in the box
  python -m tfflow.train --recipe ddflow --data chairs:/data/FlyingChairs --val sintel-clean:/data/sintel
  python -m tfflow.train --weights runs/holiday --data frames:my/frames

The same command run again continues where it stopped. Several machines: set TF_CONFIG on each, as tf.distribute
describes it, and give all of them the same --out on a shared disk."""


def parser() -> Parser:
    p = Parser(
        prog="python -m tfflow.train",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = p.add_argument
    add("--recipe", help=f"method, see `python -m tfflow.recipes` (default: {FRESH}; from trained weights {TUNE})")
    add("--model", metavar="NAME", help="network (default: the recipe's)")
    add(
        "--weights",
        metavar="W",
        help=f"start from trained weights: a name, a file, a run, or {RANDOM!r} for none (default: for frames without "
        "ground truth and no --recipe those in the box, else none)",
    )
    add(
        "--data",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help="frames to train on (default: scenes); repeatable",
    )
    add("--textures", metavar="DIR", help="cut the textures of the built-in scenes from these photographs")
    add(
        "--val",
        action="append",
        default=[],
        metavar="KIND:PATH",
        help="what to measure on (default: unseen scenes, or some of --data)",
    )
    add("--val-limit", type=int, default=32, metavar="N", help="pairs of --val to measure (default: %(default)s)")
    add("--out", type=Path, metavar="DIR", help="output folder (default: runs/RECIPE-MODEL-DATA)")
    add("--steps", type=int, metavar="N", help="updates in all; phases keep their shares (default: the recipe's)")
    add("--batch", type=int, metavar="N", help="pairs a step, over all devices (default: the recipe's)")
    add("--crop", type=_size, metavar="HxW", help="size of the training crop (default: the recipe's, or what fits)")
    add("--learning-rate", type=float, metavar="R", help="scales the recipe's schedule so that it begins at R")
    add("--phase-learning-rate", type=float, metavar="R", help="the same for each phase: every one begins at R")
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
        "--xla",
        action="store_true",
        help="compile the whole step: starts a minute later a phase, then runs faster on GPUs",
    )
    add("--on-error", choices=ON_ERROR, default="stop", help="at a damaged file (default: %(default)s)")
    add("--save-every", type=float, default=120.0, metavar="SECONDS", help="between checkpoints (default: %(default)s)")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    _check(args)
    cv2.setNumThreads(1)  # frames are read beside the training, which needs the other cores
    strategy = choose_strategy(args.devices)
    _, machine = machines_of(strategy)
    sources = [open_source(data, args.on_error) for data in args.data]
    args.weights = starting_weights(args, sources)
    planned, model = method(args, sources)
    recipe = at_rate(args, planned)
    for phase in recipe.phases:
        check_batch(recipe.batch_of(phase), strategy.num_replicas_in_sync)
    given = _joined(sources)
    source = given or _scenes(recipe, recipe.crop_of(recipe.phases[-1]), args)
    check_truth(recipe, source)
    frames = variant(model).frames
    check_sequences(model, frames, source)
    val = _validation(args, source)
    val = val.around() if frames > 2 else val
    out = args.out or Path("runs") / _run_name(recipe.name, model, args.data)
    settings = run_settings(
        planned,
        args.learning_rate or (args.phase_learning_rate and f"{args.phase_learning_rate} in every phase"),
        model=model,
        data=source.name,
        pairs=len(source),
        weights=str(weights_file(args.weights)) if args.weights else None,
        seed=args.seed,
        precision=args.precision,
        devices=strategy.num_replicas_in_sync,
    )
    check_folder(out, settings)
    console = report.wide_console()
    if _ended(out, recipe):
        console.print(f"this run has ended after {recipe.steps:,} steps: weights in {out}, page in {out / REPORT}")
        return 0
    try:
        trainer = Trainer(model, recipe, strategy, precision=args.precision, xla=args.xla, seed=args.seed)
        if args.weights:
            start = load_float(args.weights)
            assign(trainer.graph(2), model_arrays(start.both_ways), args.weights, partly=start.name != model)
        with one_writer(out) if machine == 0 else contextlib.nullcontext():
            if machine == 0:
                claim_folder(out, settings)
            return _train(args, trainer, given, source, val, out, console)
    except tf.errors.OpError as error:
        raise _told(error, out) from error


def _train(args, trainer: Trainer, given: Source | None, source: Source, val: Source, out: Path, console) -> int:
    """Trains into `out`, which this process may write, and leaves the report there; returns the exit code."""
    recipe, model, strategy = trainer.recipe, trainer.flow_model.name, trainer.strategy
    writes = machines_of(strategy)[1] == 0
    console.print(
        f"{recipe.name}: {model} on {source.name} ({len(source):,} pairs), {recipe.steps:,} steps of {recipe.batch} "
        f"pairs of {recipe.crop[0]}x{recipe.crop[1]} px, {strategy.num_replicas_in_sync} device(s); from "
        f"{args.weights or RANDOM} weights; folder {out}",
        highlight=False,
    )
    for departure in trainer.departures:
        console.print(f"departure: {departure}", markup=False, highlight=False)
    own = None
    if recipe.rendering:
        own = OwnVideo(source, recipe.rendering, args.seed, out, lambda text: console.print(text, highlight=False))
        val = val if args.val else own.report
    elif args.data and (text := remark(survey(source), source.name)):
        warn(text)
    metadata = {"model": model, "recipe": recipe.name, "method": repr(recipe), "steps": str(recipe.steps),
                "data": source.name, "seed": str(args.seed), "start": str(args.weights or RANDOM)}  # fmt: skip
    with Bar(console, writes) as bar:
        hooks = Hooks(lambda t: _measure(t, val, bar), lambda t: _pictures(t, val), bar.show)
        progress, ended = train(
            trainer,
            Feed(
                strategy,
                own.training if own else lambda crop: given or _scenes(recipe, crop, args),
                recipe,
                args.seed,
                trainer.flow_model.frames,
            ),
            out,
            own.hooks(hooks, recipe.steps) if own else hooks,
            metadata=metadata,
            chief=writes,
            every_seconds=args.save_every,
        )
    if not ended:
        print(f"tfflow: stopped at step {progress.step}, saved; the same command continues", file=sys.stderr)
        return 130
    if writes:
        scores = [*_baseline_scores(val), *progress.scores]
        console.print(f"measured on {val.name} ({len(val)} pairs), mean over pairs:", highlight=False)
        console.print(learned.scores_table(scores))
        title = f"{recipe.name}: {model}, {progress.step:,} steps in {progress.seconds / 60:.1f} min, on {source.name}"
        examples = learned.rows_of_flow(trainer.flow_model, _examples(val), baselines.dis())
        verdict = own.verdict(trainer, kept_step(out)).line() if own else ""
        learned.write_report(out / REPORT, "\n".join(filter(None, (title, verdict))), examples, read_history(out), scores)
        if verdict:
            console.print(verdict, highlight=False)
        console.print(f"trained in {progress.seconds / 60:.1f} min; weights in {out}, page in {out / REPORT}")
    return 0


def _ended(out: Path, recipe: Recipe) -> bool:
    """Whether the run in `out` has done all, its page included."""
    saved = read_state(out) if (out / REPORT).is_file() and (out / RUN_WEIGHTS).is_file() else None
    return saved is not None and saved[1].phase == len(recipe.phases)


def _told(error: tf.errors.OpError, out: Path) -> InputError:
    """What TensorFlow ran into, in one line."""
    first = (error.message or type(error).__name__).strip().splitlines()[0][:200]
    advice = "the same command continues from the last state"
    if isinstance(error, tf.errors.ResourceExhaustedError) and "space" not in first:
        first, advice = f"memory does not suffice ({first})", "take a smaller --batch or --crop, or other --devices"
    if isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError | tf.errors.CancelledError):
        first = f"another machine of this run went away ({first})"
    return InputError(f"training into {str(out)!r} stopped: {first}; {advice}")


def _check(args: argparse.Namespace) -> None:
    for option in ("steps", "batch", "val_limit", "learning_rate", "phase_learning_rate", "save_every"):
        value = getattr(args, option)
        if value is not None and not 0 < value <= LARGEST:
            bound = f"at most {LARGEST:,}" if value > 0 else "above 0"
            raise InputError(f"--{option.replace('_', '-')} must be {bound}, got {value}")
    if not 0 <= args.seed < 2**32:
        raise InputError(f"--seed must be 0 to {2**32 - 1}, got {args.seed}")
    if args.learning_rate and args.phase_learning_rate:
        raise InputError("--learning-rate and --phase-learning-rate exclude each other: give one")
    if args.textures and args.data:
        raise InputError("--textures belongs to the built-in scenes: leave --data out, or say scenes:textures=DIR")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 192x256, got {text!r}")
    return int(match[1]), int(match[2])


def _scenes(recipe: Recipe, size: tuple[int, int], args: argparse.Namespace) -> Scenes:
    """The built-in scenes of a recipe, in the size of a phase's crop."""
    return open_scenes(recipe.scenes, size=size, seed=args.seed, textures=args.textures)


def _joined(sources: list[Source]) -> Source | None:
    """All sources as one."""
    if len(sources) < 2:
        return sources[0] if sources else None
    return Mixed(sources)


def _validation(args: argparse.Namespace, source: Source) -> Source:
    """What to measure on: --val; else unseen scenes; else pairs spread evenly over the data trained on."""
    val: Source
    if args.val:
        given = [open_source(v, args.on_error) for v in args.val]
        val = given[0] if len(given) == 1 else Mixed(given)
    elif isinstance(source, Scenes):
        val = Scenes(source.size, args.val_limit, source.seed + UNSEEN, source.settings, source.textures)
    else:
        val = source
    return Spread(val, min(args.val_limit, len(val)))


def _run_name(recipe: str, model: str, data: list[str]) -> str:
    stems = [re.split(r"[/\\]", d.rstrip("/\\"))[-1].rpartition(":")[2] for d in data] or ["scenes"]
    return report.safe_name("-".join([recipe, model, *stems]))


def _measure(trainer: Trainer, val: Source, bar: Bar) -> dict[str, float]:
    bar.say("measuring")
    result = benchmark.run({"network": trainer.flow_model}, val, batch=4)["network"]
    return {k: float(v) for k, v in result.summary()["mean_over_images"].items()}


def _baseline_scores(val: Source) -> list[dict[str, Any]]:
    results = benchmark.run({b.name: b for b in (baselines.zero(), baselines.dis("medium"))}, val)
    return [{"when": name, **r.summary()["mean_over_images"]} for name, r in results.items()]


def _examples(val: Source) -> list:
    return [val.sample(i * len(val) // min(4, len(val))) for i in range(min(4, len(val)))]


def _pictures(trainer: Trainer, val: Source) -> dict:
    return {"flow": contact_sheet(learned.rows_of_flow(trainer.flow_model, _examples(val)))}


if __name__ == "__main__":
    raise SystemExit(main())
