"""`release`: a run's weights become pretrained weights of the package, measured and described.

Every figure is measured here, on the weights that are written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.api.plan import RANDOM
from tfflow.api.run import REPORT
from tfflow.data.records import Source
from tfflow.data.sources import open_sources
from tfflow.errors import InputError
from tfflow.evaluation import baselines, model_card, report, scoring
from tfflow.evaluation.refinement import label_of, refined
from tfflow.evaluation.still import LIMIT, still
from tfflow.files import write_json, write_text, write_whole
from tfflow.models import PRETRAINED, RUN_WEIGHTS, FlowModel, load_float, pretrained_names, record
from tfflow.models import lineage as networks_before
from tfflow.models.weights import assign, model_arrays, save_arrays
from tfflow.recipes import get_recipe
from tfflow.terminal import wide_console
from tfflow.training.checkpoint import read_state

LARGEST = 6_000_000
"""Bytes of pretrained weights."""

DOCS = Path("docs/models")


@dataclass(frozen=True)
class ReleaseResult:
    """record: what is on record of the weights, which `models.record` reads again."""

    record: Mapping[str, Any]

    def table(self) -> str:
        """Markdown: endpoint errors on each data set, classical methods beside them."""
        return model_card.scores_table([self.record])

    def save(self, pretrained: str | os.PathLike = PRETRAINED, docs: str | os.PathLike = DOCS) -> None:
        """Writes the record NAME.json to `pretrained` and the model card NAME.md to `docs`."""
        name = self.record["name"]
        write_text(Path(docs) / f"{name}.md", model_card.card(self.record))
        write_json(Path(pretrained) / f"{name}.json", dict(self.record))


def pretrained_table() -> str:
    """Markdown: the endpoint errors of all pretrained weights, as they are on record."""
    return model_card.scores_table([record(name) for name in pretrained_names()])


def release(
    name: str,
    data: Any,
    *,
    run: str | os.PathLike | None = None,
    notes: str = "",
    licence: str = "Apache-2.0",
    pretrained: str | os.PathLike = PRETRAINED,
    docs: str | os.PathLike = DOCS,
    progress: bool = False,
) -> ReleaseResult:
    """Measures weights on `data`, which has ground truth, and writes them with their record, card and report.

    name: of the weights, "NETWORK" or "NETWORK.TAG". run: output folder of a training that ended; or the name of
    weights that come with the package, which go into another network without training, one that extends theirs; layers
    that they lack are 0 there; None: the weights called `name` that come with the package are measured anew. notes:
    Markdown for the card. pretrained, docs: folders of the weights and of the card. Raises InputError where the data
    has no ground truth, the run is not whole, or the network is another one.
    """
    sources = open_sources(data)
    if not (name and sources):
        raise InputError("expected `name` and at least one `data` with ground truth")
    if run is not None:
        origin = _of_network(str(run), name, Path(docs)) if str(run) in pretrained_names() else _of_run(Path(run))
        return _released(name, origin, sources, notes, licence, Path(pretrained), Path(docs), progress)
    if name not in pretrained_names():
        known = ", ".join(pretrained_names())
        raise InputError(
            f"{name!r} is not among the pretrained weights ({known}): name the RUN that its weights are of"
        )
    model = load_float(name)
    measured = {"scores": _measured(model, name, sources, progress), "still": _still(model)}
    result = ReleaseResult(record(name) | measured | ({"notes": notes} if notes else {}))
    result.save(pretrained, docs)
    return result


@dataclass(frozen=True)
class _Origin:
    """What is released. training: see `lineage`. picture: the report of the last run."""

    model: FlowModel
    training: list[dict[str, Any]]
    picture: bytes


def _of_run(run: Path) -> _Origin:
    model, training, picture = load_float(run), lineage(run), run / REPORT
    if not picture.is_file():
        raise InputError(f"{str(run)!r} has no {REPORT}: repeat its command, which writes it")
    return _Origin(model, training, picture.read_bytes())


def _of_network(weights: str, name: str, docs: Path) -> _Origin:
    """The pretrained `weights` in the network of `name`, which must extend theirs."""
    before, network = load_float(weights), name.partition(".")[0]
    if before.name not in networks_before(network)[1:]:
        raise InputError(
            f"{weights!r} is a {before.name}, which {network!r} does not extend: name a RUN of that network"
        )
    picture = docs / f"{weights}.png"
    if not picture.is_file():
        raise InputError(
            f"no such file: {str(picture)!r}, the report of {weights}; name the folder of its card in `docs`"
        )
    model = FlowModel(network, before.metadata | {"model": network})
    lacking = {name: np.zeros_like(array) for name, array in model_arrays(model.one_way).items()}
    assign(model.one_way, lacking | model_arrays(before.one_way), weights)
    return _Origin(model, record(weights)["training"], picture.read_bytes())


def _released(
    name: str,
    origin: _Origin,
    sources: Sequence[Source],
    notes: str,
    licence: str,
    folder: Path,
    docs: Path,
    progress: bool,
) -> ReleaseResult:
    """Writes the weights to `folder`, and the report of their training beside the card."""
    model, training = origin.model, origin.training
    arrays = model_arrays(model.one_way)
    size = sum(array.nbytes for array in arrays.values())
    if size > LARGEST:
        raise InputError(f"the weights take {size:,} bytes, those of pretrained weights take at most {LARGEST:,}")
    at_rest, scores = _still(model), _measured(model, name, sources, progress)
    with write_whole(folder / f"{name}.safetensors") as part:  # written last: record and card are there then
        save_arrays(part, arrays, model.metadata)
        contents = part.read_bytes()
        result = ReleaseResult(
            {
                "name": name,
                "network": model.name,
                "parameters": model.parameters,
                "labels": any(get_recipe(run["recipe"]).needs_truth for run in training),
                "licence": licence,
                "bytes": len(contents),
                "sha256": hashlib.sha256(contents).hexdigest(),
                "training": training,
                "method": model.metadata["method"],
                "scores": scores,
                "still": at_rest,
                "notes": notes,
            }
        )
        with write_whole(docs / f"{name}.png") as copy:
            copy.write_bytes(origin.picture)
        result.save(folder, docs)
    return result


def _measured(model: FlowModel, name: str, sources: Sequence[Source], progress: bool) -> list[dict[str, Any]]:
    """Endpoint errors of the weights in each use, and of the classical methods."""
    console = wide_console(quiet=not progress)
    compared = {b.name: b for b in baselines.all_baselines() if b.name != "DIS ultrafast"} | _uses(model, name)
    entries = []
    for source in sources:
        if "flow12" not in source.truth:
            raise InputError(f"{source.name} has no ground truth to measure on")
        with report.progress_bar(console, source.name) as shown:
            entries += model_card.scores(scoring.run(compared, source, progress=shown))
    return entries


def _still(model: FlowModel) -> dict[str, float]:
    """What it says where nothing moves. Raises InputError where identical frames move."""
    found = still(model.batch)
    if not found["identical"] < LIMIT:
        raise InputError(f"identical frames move by {found['identical']:.2f} px, expected below {LIMIT} px")
    return found


def _uses(model: FlowModel, name: str) -> dict[str, baselines.Predictor]:
    """The ways of using the weights that are measured: one pass and several; with and without refinement."""
    several = [FlowModel(model.name, network=model.network, scales=s) for s in ((0.5, 1), (1, 2), (0.5, 1, 2))]
    uses = [(model, None), *((m, "variational") for m in (model, *several))]
    return {label_of(name, m.scales, refine): refined(m, refine) if refine else m for m, refine in uses}


def lineage(run: Path) -> list[dict[str, Any]]:
    """The run, after those whose weights it went on from: recipe, steps, hours, data, start of each, oldest first."""
    metadata = load_float(run).metadata
    state = read_state(run)
    if state is None:
        raise InputError(f"{str(run)!r} is not the output folder of a training run: it holds {RUN_WEIGHTS} alone")
    start = metadata["start"]
    if start in pretrained_names():
        before = record(start)["training"]
    elif start == RANDOM:
        before = []
    elif Path(start).is_dir():
        before = lineage(Path(start))
    else:  # whether labels were seen there is not on record
        raise InputError(
            f"{str(run)!r} went on from {start!r}, which is neither pretrained weights nor the folder of a run"
        )
    this = {
        "recipe": metadata["recipe"],
        "steps": int(metadata["steps"]),
        "hours": state[1].seconds / 3600,
        "data": metadata["data"],
        "start": "the row above" if before else start,
    }
    return [*before, this]
