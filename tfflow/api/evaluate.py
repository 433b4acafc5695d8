"""`tfflow.evaluate`: flow networks, and classical methods beside them, measured on any data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Group

from tfflow.data.records import Source
from tfflow.data.sources import SCENES, open_sources
from tfflow.errors import InputError, unknown_name
from tfflow.evaluation import baselines as classical
from tfflow.evaluation import report, scoring
from tfflow.evaluation import submission as server
from tfflow.evaluation.confidence import ConfidenceScore, measure_confidence
from tfflow.evaluation.refinement import REFINEMENTS, label_of, refined
from tfflow.evaluation.sequences import SequenceScore, measure_sequences, sequences_table
from tfflow.files import check_writable, write_json
from tfflow.models import load, untrained
from tfflow.models.scales import ONCE, check_scales
from tfflow.terminal import as_text, wide_console


@dataclass(frozen=True)
class EvaluateResult:
    """What was measured: a `Result` for each source and each network or baseline."""

    results: tuple[scoring.Result, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    confidence: tuple[ConfidenceScore, ...] = ()
    sequences: tuple[SequenceScore, ...] = ()

    def __getitem__(self, key: tuple[str, str]) -> dict[str, Any]:
        """The summary of one predictor on one source: `result["sintel-clean:/data/sintel", "pwcnet_mobile"]`."""
        found = {(r.source, r.predictor): r for r in self.results}
        if key not in found:
            raise InputError(f"nothing was measured for {key!r}; measured are {', '.join(map(str, found))}")
        return found[key].summary()

    def __rich__(self) -> Group:
        sources = [list(results) for _, results in groupby(self.results, lambda r: r.source)]
        steady = [list(scores) for _, scores in groupby(self.sequences, lambda score: score.source)]
        return Group(*map(report.results_table, sources), *self.confidence, *map(sequences_table, steady))

    def table(self) -> str:
        """A table for each source, as text."""
        return as_text(self)

    def save(self, folder: str | os.PathLike) -> None:
        """Writes results.json, results.csv, images.csv; where measured, confidence.json and sequences.json."""
        report.write_results(Path(folder), self.results, self.settings)
        for name, found in (("confidence", self.confidence), ("sequences", self.sequences)):
            if found:
                write_json(Path(folder) / f"{name}.json", [one.summary() for one in found])


def evaluate(
    weights: Any = (),
    data: Any = (),
    *,
    model: str | Sequence[str] = (),
    baselines: bool = False,
    scales: Sequence[float] = ONCE,
    refine: str | None = None,
    out: str | os.PathLike | None = None,
    error_maps: bool = False,
    submission: str | None = None,
    confidence: bool = False,
    sequences: bool = False,
    on_error: str = "stop",
    limit: int | None = None,
    batch: int = 1,
    overwrite: bool = False,
    progress: bool = False,
    each: Callable[[EvaluateResult], None] | None = None,
) -> EvaluateResult:
    """Measures networks: with ground truth by the endpoint error, without it by label-free measures.

        result = tfflow.evaluate("pwcnet_mobile", "scenes:count=20", baselines=True)
        print(result.table())

    weights: as of `tfflow.load`, a loaded network, any object with `batch` and `both`
        (`tfflow.evaluation.baselines.Predictor`), or a list of these. model: untrained networks, by name.
    data: as of `tfflow.train`, such as "sintel-clean:/data/sintel".
    baselines: measure zero flow, Farneback and DIS, too.
    scales: as of `tfflow.load`. refine: "variational" adds OpenCV's refinement after each network.
    out: the folder for results.json, results.csv and images.csv. overwrite: replace earlier results there.
    error_maps: write a picture for each pair. submission: "sintel" or "kitti" writes flow files for that server.
    confidence: measure how well the networks' confidence predicts their error. Needs ground truth.
    sequences: measure flicker and tracked points over consecutive pairs, beside Lucas-Kanade.
    on_error: "stop" or "skip", at a damaged file. limit: only the first pairs of each source. batch: pairs at a time.
    progress: print what goes on. each: called with the result of each source as soon as it is known.
    Raises InputError where an argument or the data does not fit.
    """
    given_weights, networks = _listed(weights), _listed(model)
    folder = None if out is None else Path(out)
    settings = {
        "baselines": baselines, "batch": batch, "confidence": confidence,
        "data": [_label(x) for x in _listed(data)], "error_maps": error_maps,
        "limit": limit, "model": list(networks), "on_error": on_error, "out": None if out is None else str(out),
        "refine": refine, "sequences": sequences, "submission": submission,
        "scales": ",".join(f"{float(s):g}" for s in check_scales(scales)),
        "weights": [_label(x) for x in given_weights],
    }  # fmt: skip
    if not (given_weights or networks or baselines):
        raise InputError("nothing to measure: give `weights`, `model` or `baselines`")
    for option, given in (("refine", refine), ("scales", check_scales(scales) != ONCE)):
        if given and not (given_weights or networks):
            raise InputError(f"`{option}` works on networks: give `weights` or `model`")
    if refine and refine not in REFINEMENTS:
        raise unknown_name("refinement", refine, REFINEMENTS)
    if submission and submission not in server.LAYOUTS:
        raise unknown_name("server", submission, server.LAYOUTS)
    if (error_maps or submission) and not folder:
        raise InputError("`error_maps` and `submission` write files: say where with `out`")
    for option, value in (("limit", limit), ("batch", batch)):
        if value is not None and value < 1:
            raise InputError(f"`{option}` must be at least 1, got {value}")
    if folder and (folder / "results.json").exists() and not overwrite:
        raise InputError(f"{folder} holds results already: choose another `out`, or add `overwrite=True`")
    for option, asked in (("confidence", confidence), ("sequences", sequences)):
        if asked and not (given_weights or networks):
            raise InputError(f"`{option}` is of networks: give `weights` or `model`")
    sources = open_sources(data, on_error)
    if not sources:
        raise InputError("nothing to measure on: give `data`")
    for source in sources:
        if source.name.partition(":")[0] == SCENES and len(source) >= 10_000 and limit is None:
            raise InputError(f"{source.name} has {len(source)} pairs: say how many, {SCENES}:count=N or `limit`")
    if submission:
        _check_submission(submission, sources)
    predictors = _predictors(given_weights, networks, check_scales(scales), refine)
    if submission and len(predictors) > 1:
        raise InputError(f"`submission` takes one network, got {len(predictors)}: {', '.join(predictors)}")
    if folder:
        check_writable(folder)
    files = _Files(folder, error_maps, submission)
    console = wide_console(quiet=not progress)
    results: list[scoring.Result] = []
    trusts: list[ConfidenceScore] = []
    steady: list[SequenceScore] = []
    for source in sources:
        beside = classical.all_baselines() if baselines else []
        if "flow12" not in source.truth and not beside:  # without ground truth a number says little by itself
            beside = [classical.zero(), classical.dis("medium")]
        compared = predictors | {baseline.name: baseline for baseline in beside}
        writer = files.writer(source, set(predictors or compared))
        with report.progress_bar(console, source.name) as shown:
            found = scoring.run(compared, source, batch=batch, limit=limit, each=writer, progress=shown)
            of_source: list[ConfidenceScore] = []
            if confidence and "flow12" in source.truth:
                of_source = [measure_confidence(label, p, source, limit, shown) for label, p in predictors.items()]
            consecutive = measure_sequences(predictors, source, limit, shown) if sequences else []
        results += found.values()
        trusts += of_source
        steady += consecutive
        if each:
            each(EvaluateResult(tuple(found.values()), settings, tuple(of_source), tuple(consecutive)))
        if folder:  # after each source, so that a stop at the next one loses nothing
            EvaluateResult(tuple(results), settings, tuple(trusts), tuple(steady)).save(folder)
    return EvaluateResult(tuple(results), settings, tuple(trusts), tuple(steady))


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [] if given is None else [given]


def _label(given: Any) -> str:
    return os.fspath(given) if isinstance(given, str | os.PathLike) else getattr(given, "name", type(given).__name__)


def _predictors(
    weights: list[Any], model: list[str], scales: tuple[float, ...], refine: str | None
) -> dict[str, classical.Predictor]:
    predictors: dict[str, classical.Predictor] = {}
    for given in weights:
        loaded = load(given, scales) if isinstance(given, str | os.PathLike) else given
        if loaded is given and scales != ONCE:
            raise InputError(f"{_label(given)} is loaded already: give its scales to tfflow.load")
        predictors[_label(given)] = loaded
    predictors |= {f"{name} (untrained)": untrained(name, scales) for name in model}
    if refine:
        predictors = {label: refined(p, refine) for label, p in predictors.items()}
    return {label_of(label, scales, refine): p for label, p in predictors.items()}


def _check_submission(layout: str, sources: list[Source]) -> None:
    kinds = [source.name.partition(":")[0] for source in sources]
    fitting = [source for source, kind in zip(sources, kinds, strict=False) if kind in server.LAYOUTS[layout]]
    for source in fitting or sources:
        server.submission_path(layout, source.name, source.record_name(0))
    doubled = {kind for kind in kinds if kinds.count(kind) > 1 and kind in server.LAYOUTS[layout]}
    if doubled:
        raise InputError(
            f"`submission` needs each kind of `data` once, got {', '.join(sorted(doubled))} more than once"
        )


@dataclass(frozen=True)
class _Files:
    """What is written of each flow, besides its numbers."""

    folder: Path | None
    error_maps: bool
    submission: str | None

    def writer(self, source: Source, own: set[str]) -> scoring.Each:
        """Writes what was asked for of each flow, for the networks alone where there are any."""

        def each(label, name, sample, flow12):
            if label not in own or self.folder is None:
                return
            if self.error_maps:
                folder = self.folder / "error_maps" / report.safe_name(source.name) / report.safe_name(label)
                report.write_error_map(folder / f"{name}.png", label, sample, flow12)
            if self.submission and source.name.partition(":")[0] in server.LAYOUTS[self.submission]:
                server.write_submission(self.folder / "submission", self.submission, source.name, name, flow12)

        return each
