"""`python -m tfflow.train`: trains a flow network, by default without labels and on the built-in moving scenes."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import cv2
import tensorflow as tf

from tfflow.data.damage import ON_ERROR, warn
from tfflow.data.pipeline import Mixed, Spread, check_batch
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.data.survey import remark, survey
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines, benchmark, learned, report
from tfflow.evaluation.pictures import contact_sheet
from tfflow.models import RUN_WEIGHTS, boxed, load_float, variant, weights_file
from tfflow.models.weights import assign, model_arrays
from tfflow.recipes import Recipe, named
from tfflow.training.bar import Bar
from tfflow.training.checkpoint import check_folder, claim_folder, read_state
from tfflow.training.feed import Feed, check_sequences, check_truth
from tfflow.training.log import read_history
from tfflow.training.loop import Hooks, train
from tfflow.training.step import student_size
from tfflow.training.strategy import choose_strategy, worker_of
from tfflow.training.trainer import PRECISIONS, Trainer

REPORT = "report.png"
"""The page of what was learned, written when all else is done."""

UNSEEN = 1_000_003
"""Added to the seed of the scenes trained on, for scenes to measure on."""

FRESH, TUNE = "ddflow_quick", "ddflow_tune"
"""What trains random weights, and what trains on from trained ones, where no recipe is named."""

RANDOM = "random"
"""Instead of trained weights."""

EXAMPLES = """examples:
  python -m tfflow.train                                                # sized for 2 cores, no download
  python -m tfflow.train --data video:holiday.mp4 --out runs/holiday    # your own video, from the weights in the box
  python -m tfflow.train --recipe ddflow --data chairs:/data/FlyingChairs --val sintel-clean:/data/sintel
  python -m tfflow.train --weights runs/holiday --data frames:my/frames

The same command run again continues where it stopped. Several machines: set TF_CONFIG on each, as tf.distribute
describes it, and give all of them the same --out on a shared disk."""


class _Parser(argparse.ArgumentParser):
    """Refuses in one line, as everything else here."""

    def error(self, message: str):
        raise InputError(f"{message}; see --help")


def parser() -> argparse.ArgumentParser:
    p = _Parser(
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
    _, worker = worker_of(strategy)
    sources = [open_source(data, args.on_error) for data in args.data]
    args.weights = starting_weights(args, sources)
    recipe, model = method(args, sources)
    check_batch(recipe.batch, strategy.num_replicas_in_sync)
    source = _joined(sources) or Scenes(recipe.crop, seed=args.seed, textures=args.textures)
    check_truth(recipe, source)
    frames = variant(model).frames
    check_sequences(model, frames, source)
    val = _validation(args, source)
    val = val.around() if frames > 2 else val
    out = args.out or Path("runs") / _run_name(recipe.name, model, args.data)
    settings = _settings(args, recipe, model, source, strategy)
    check_folder(out, settings)
    console = report.wide_console()
    if _ended(out, recipe):
        console.print(f"this run has ended after {recipe.steps:,} steps: weights in {out}, page in {out / REPORT}")
        return 0
    trainer = Trainer(model, recipe, strategy, precision=args.precision, xla=args.xla, seed=args.seed)
    if args.weights:
        assign(trainer.graph(2), model_arrays(load_float(args.weights).both_ways), args.weights)
    if worker == 0:
        claim_folder(out, settings)
    console.print(
        f"{recipe.name}: {model} on {source.name} ({len(source):,} pairs), {recipe.steps:,} steps of {recipe.batch} "
        f"pairs of {recipe.crop[0]}x{recipe.crop[1]} px, {strategy.num_replicas_in_sync} device(s); from "
        f"{args.weights or RANDOM} weights; folder {out}",
        highlight=False,
    )
    if args.data and (text := remark(survey(source), source.name)):
        warn(text)
    metadata = {"model": model, "recipe": recipe.name, "method": repr(recipe), "steps": str(recipe.steps),
                "data": source.name, "seed": str(args.seed), "start": str(args.weights or RANDOM)}  # fmt: skip
    with Bar(console, worker == 0) as bar:
        try:
            progress, ended = train(
                trainer,
                recipe,
                Feed(strategy, source, recipe, args.seed, frames),
                out,
                Hooks(lambda t: _measure(t, val, bar), lambda t: _pictures(t, val), bar.show),
                metadata=metadata,
                chief=worker == 0,
                every_seconds=args.save_every,
            )
        except tf.errors.OpError as error:
            raise _told(error, out) from error
    if not ended:
        print(f"tfflow: stopped at step {progress.step}, saved; the same command continues", file=sys.stderr)
        return 130
    if worker == 0:
        scores = [*_baseline_scores(val), *progress.scores]
        console.print(f"measured on {val.name} ({len(val)} pairs), mean over pairs:", highlight=False)
        console.print(learned.scores_table(scores))
        title = f"{recipe.name}: {model}, {progress.step:,} steps in {progress.seconds / 60:.1f} min, on {source.name}"
        examples = learned.rows_of_flow(trainer.flow_model, _examples(val), baselines.dis())
        learned.write_report(out / REPORT, title, examples, read_history(out), scores)
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
    for option in ("steps", "batch", "val_limit", "learning_rate", "save_every"):
        value = getattr(args, option)
        if value is not None and not value > 0:
            raise InputError(f"--{option.replace('_', '-')} must be above 0, got {value}")
    if args.seed < 0:
        raise InputError(f"--seed must be 0 or more, got {args.seed}")
    if args.textures and args.data:
        raise InputError("--textures belongs to the built-in scenes: leave --data out, or say scenes:textures=DIR")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 192x256, got {text!r}")
    return int(match[1]), int(match[2])


def starting_weights(args: argparse.Namespace, sources: list[Source]) -> str | None:
    """The weights to go on from. Frames of one's own often hold too little motion to learn from nothing: a video of a
    fixed camera, say, teaches random weights that nothing moves."""
    if args.weights or args.recipe:
        return None if args.weights == RANDOM else args.weights
    model = args.model or named(TUNE).model
    own = any("flow12" not in source.truth for source in sources)
    return model if own and model in boxed() else None


def method(args: argparse.Namespace, sources: list[Source]) -> tuple[Recipe, str]:
    """The recipe as this run takes it, and the network's name."""
    recipe = named(args.recipe or (TUNE if args.weights else FRESH))
    model = args.model
    if args.weights:
        of_weights = load_float(args.weights).name
        if model and model != of_weights:
            raise InputError(f"--weights {args.weights} is a {of_weights}, --model says {model}")
        model = of_weights
    model = model or recipe.model
    stride = variant(model).stride
    steps = recipe.scaled(args.steps) if args.steps else recipe
    crop = _crop(args.crop, recipe.crop, sources, stride)
    recipe = dataclasses.replace(steps, crop=crop, batch=args.batch or recipe.batch)
    for phase in recipe.phases:
        if phase.student:
            try:
                student_size(crop, phase.student, stride)
            except ValueError as error:
                raise InputError(f"{recipe.name} with {model}: {error}; {_larger(args.crop, sources)}") from None
    if args.learning_rate:
        phases = [
            dataclasses.replace(p, learning_rate=p.learning_rate.times(args.learning_rate / p.learning_rate.rate))
            for p in recipe.phases
        ]
        recipe = dataclasses.replace(recipe, phases=tuple(phases))
    return recipe, model


def _crop(asked: tuple[int, int] | None, usual: tuple[int, int], sources: list[Source], stride: int) -> tuple[int, int]:
    """The crop asked for, which must fit the network; else the recipe's, cut to what fits the frames and it."""
    if asked:
        if any(n % stride for n in asked):
            near = "x".join(str(max(stride, round(n / stride) * stride)) for n in asked)
            raise InputError(f"--crop must be multiples of the network's stride {stride}: the nearest is {near}")
        return asked
    for source in sources:
        usual = tuple(min(n, size) for n, size in zip(usual, source.sample(0)["image1"].shape, strict=False))
    height, width = (max(stride, n // stride * stride) for n in usual)
    return height, width


def _larger(asked: tuple[int, int] | None, sources: list[Source]) -> str:
    """What to do about a crop that is too small: it is the one that was asked for, or as large as the frames."""
    if asked or not sources:
        return "choose a larger --crop"
    sizes = {source.name: source.sample(0)["image1"].shape[:2] for source in sources}
    name = min(sizes, key=lambda name: min(sizes[name]))
    return f"the frames of {name} are {sizes[name][0]}x{sizes[name][1]}: train on larger ones"


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


def _settings(args, recipe: Recipe, model: str, source: Source, strategy) -> dict[str, Any]:
    """What makes this run this run: with the same of these, and the same files, it gives the same weights."""
    return {
        "model": model,
        "recipe": repr(recipe),
        "data": source.name,
        "pairs": len(source),
        "weights": str(weights_file(args.weights)) if args.weights else None,
        "seed": args.seed,
        "precision": args.precision,
        "devices": strategy.num_replicas_in_sync,
    }


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
