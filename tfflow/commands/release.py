"""`python -m tfflow.release RUN --name NAME --data ...`: puts a run's weights into the box, measured and described.

Writes NAME.safetensors and its record NAME.json to the folder of the box, and the model card NAME.md with the page of
the run to --docs. Every figure is measured here, on the weights that are written. Without RUN the weights called NAME
that are in the box are measured anew.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

from tfflow.commands.train import RANDOM, REPORT
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines, benchmark, model_card, report
from tfflow.evaluation.refinement import refined, used_as
from tfflow.files import write_json, write_text, write_whole
from tfflow.models import BOX, RUN_WEIGHTS, FlowModel, boxed, load_float, record
from tfflow.models.weights import model_arrays, save_arrays
from tfflow.recipes import named
from tfflow.terminal import Parser
from tfflow.training.checkpoint import read_state

LARGEST = 6_000_000
"""Bytes of a file in the box."""


def parser() -> Parser:
    p = Parser(prog="python -m tfflow.release", description=__doc__)
    p.add_argument("run", type=Path, nargs="?", help="output folder of a `tfflow.train` that ended")
    p.add_argument("--name", help="what the weights will be called")
    p.add_argument("--data", action="append", default=[], metavar="KIND:PATH", help="ground truth to measure on")
    p.add_argument("--notes", type=Path, metavar="FILE", help="Markdown for the card: what was tried, limits")
    p.add_argument("--licence", default="Apache-2.0", help="of the weights (default: %(default)s)")
    p.add_argument("--box", type=Path, default=BOX, metavar="DIR", help="where weights lie (default: the package's)")
    p.add_argument("--docs", type=Path, default=Path("docs/models"), metavar="DIR", help="(default: %(default)s)")
    p.add_argument("--table", action="store_true", help="print the table of all weights in the box, measure nothing")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.table:
        print(model_card.scores_table([record(name) for name in boxed()]))
        return 0
    if not (args.name and args.data):
        raise InputError("expected --name NAME and at least one --data KIND:PATH with ground truth")
    if not args.run and args.name not in boxed():
        raise InputError(
            f"{args.name!r} is not in the box ({', '.join(boxed())}): name the RUN that its weights are of"
        )
    notes = args.notes.read_text("utf-8") if args.notes else ""
    if args.run:
        found = _release(args, notes)
    else:
        found = (
            record(args.name) | {"scores": _measured(load_float(args.name), args)} | ({"notes": notes} if notes else {})
        )
        _describe(args, found)
    print(model_card.scores_table([found]))
    return 0


def _release(args: argparse.Namespace, notes: str) -> dict[str, Any]:
    """Puts the weights of a run into the box, and its page beside the card; returns their record."""
    model, training, page = load_float(args.run), lineage(args.run), args.run / REPORT
    if not page.is_file():
        raise InputError(f"{str(args.run)!r} has no {REPORT}: repeat its command, which writes it")
    scores = _measured(model, args)
    path = args.box / f"{args.name}.safetensors"
    with write_whole(path) as part:  # the weights appear last: what is in the box has its record and its card
        save_arrays(part, model_arrays(model.one_way), model.metadata)
        contents = part.read_bytes()
        if len(contents) > LARGEST:
            raise InputError(f"the weights take {len(contents):,} bytes, a file in the box at most {LARGEST:,}")
        found = {
            "name": args.name,
            "network": model.name,
            "parameters": model.parameters,
            "labels": any(named(run["recipe"]).needs_truth for run in training),
            "licence": args.licence,
            "bytes": len(contents),
            "sha256": hashlib.sha256(contents).hexdigest(),
            "training": training,
            "method": model.metadata["method"],
            "scores": scores,
            "notes": notes,
        }
        with write_whole(args.docs / f"{args.name}.png") as picture:
            picture.write_bytes(page.read_bytes())
        _describe(args, found)
    return found


def _describe(args: argparse.Namespace, found: dict[str, Any]) -> None:
    """Writes the card and the record."""
    write_text(args.docs / f"{args.name}.md", model_card.card(found))
    write_json(args.box / f"{args.name}.json", found)


def _measured(model: FlowModel, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Endpoint errors of the weights in each use, and of the classical methods, on --data."""
    console = report.wide_console()
    compared = {b.name: b for b in baselines.all_baselines() if b.name != "DIS ultrafast"} | _uses(model, args.name)
    entries = []
    for source in map(open_source, args.data):
        if "flow12" not in source.truth:
            raise InputError(f"{source.name} has no ground truth to measure on")
        with report.progress_bar(console, source.name) as progress:
            entries += model_card.scores(benchmark.run(compared, source, progress=progress))
    return entries


def _uses(model: FlowModel, name: str) -> dict[str, baselines.Predictor]:
    """The ways of using the weights that are measured: as they are, looking twice, and all that can be had."""
    twice, thrice = (FlowModel(model.name, network=model.network, scales=s) for s in ((1, 2), (0.5, 1, 2)))
    uses = [(model, None), (twice, None), (twice, "variational"), (thrice, "variational")]
    return {used_as(name, m.scales, refine): refined(m, refine) if refine else m for m, refine in uses}


def lineage(run: Path) -> list[dict[str, Any]]:
    """The run, after those whose weights it went on from: recipe, steps, hours, data, start of each, oldest first."""
    metadata = load_float(run).metadata
    state = read_state(run)
    if state is None:
        raise InputError(f"{str(run)!r} is not the output folder of a training run: it holds {RUN_WEIGHTS} alone")
    start = metadata["start"]
    if start in boxed():
        before = record(start)["training"]
    elif start == RANDOM:
        before = []
    elif Path(start).is_dir():
        before = lineage(Path(start))
    else:  # whether labels were seen there could not be told
        raise InputError(f"{str(run)!r} went on from {start!r}, which is neither in the box nor the folder of a run")
    this = {
        "recipe": metadata["recipe"],
        "steps": int(metadata["steps"]),
        "hours": state[1].seconds / 3600,
        "data": metadata["data"],
        "start": "the row above" if before else start,
    }
    return [*before, this]


if __name__ == "__main__":
    raise SystemExit(main())
