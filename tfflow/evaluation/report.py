"""Scores as a table on the screen, as JSON, as CSV, and as pictures of the errors."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tfflow.data.images import write_image
from tfflow.evaluation import pictures
from tfflow.evaluation.metrics import WITH_TRUTH, WITHOUT_TRUTH
from tfflow.evaluation.paired import gains_over_first
from tfflow.evaluation.progress import progress_bar
from tfflow.evaluation.scoring import Result
from tfflow.files import write_json, write_text
from tfflow.messages import counted
from tfflow.ops import inside
from tfflow.ops.arrays import warp

__all__ = ["progress_bar", "results_table", "safe_name", "write_error_map", "write_results"]
AVERAGES = {"mean_over_images": "mean over pairs", "mean_over_pixels": "mean over pixels"}
_HEADS = {
    "epe": "EPE",
    "epe_noc": "noc",
    "epe_occ": "occ",
    "epe_s0-10": "s0-10",
    "epe_s10-40": "s10-40",
    "epe_s40+": "s40+",
    "fl": "Fl %",
    "fl_noc": "Fl noc",
    "occ_f": "occ F",
    "photometric": "photometric /255",
    "census": "census",
    "fb_residual": "forward-backward px",
    "inside": "inside %",
}
_RANK_NOT = ("inside",)  # neither high nor low is better
_HIGHER = ("occ_f",)


def results_table(results: Sequence[Result]) -> Group:
    """The results of one source: a row for each predictor and average. The best of each column is bold."""
    first = results[0]
    images = len(first.averages.images)
    skipped = f", {len(first.skipped)} skipped" if first.skipped else ""
    heading = f"{first.source}: {counted(images, 'pair')}{skipped}"
    columns = [name for name in _HEADS if any(name in r.averages.metrics() for r in results)]
    counts = first.averages.counts()
    fewer = [f"{_HEADS[n]} {counts[n]['images']}" for n in columns if n in counts and counts[n]["images"] < images]
    caption = [Text(f"pairs with such pixels, where not all: {', '.join(fewer)}", "dim")] if fewer else []
    table = Table()
    table.add_column("", no_wrap=True)
    for name in columns:
        table.add_column(_HEADS[name], justify="right")
    table.add_column("ms/flow", justify="right")
    for key, title in AVERAGES.items():
        summaries = [result.summary() for result in results]
        table.add_row(Text(title, "italic"))
        best = {name: _best(name, [s[key][name] for s in summaries if name in s[key]]) for name in columns}
        for summary in summaries:
            values = [_cell(summary[key].get(name), best[name]) for name in columns]
            table.add_row(
                summary["predictor"],
                *values,
                "-" if (ms := summary["median_ms_per_flow"]) is None else f"{ms:.0f}",
            )
        if key != list(AVERAGES)[-1]:
            table.add_section()
    # a title of the table itself would wrap at the table's width
    return Group(Text(heading, "bold"), table, *caption, *_gains_table(results))


def _gains_table(results: Sequence[Result]) -> list[Table]:
    """How much lower the error of each later predictor is than that of the first, where there are two."""
    gains = gains_over_first(results)
    table = Table()
    table.add_column(f"EPE lower than {results[0].predictor}'s by", overflow="fold")
    table.add_column("mean over pairs", justify="right")
    table.add_column("typical pair", justify="right")
    for label, (mean, typical) in gains.items():
        table.add_row(label, mean.text(), typical.text())
    return [table] if gains else []


def write_results(folder: Path, results: Sequence[Result], settings: Mapping[str, object]) -> None:
    """Writes results.json, results.csv (a row for each source, predictor, average) and images.csv (one for each image).

    JSON: {"settings", "results": [summary of each], "images": {source: {predictor: {image: {metric: mean}}}}, "gains":
    {source: {predictor: {"over", "mean": [%, standard error], "typical": the same}}}}.
    """
    images: dict[str, dict] = {}
    for r in results:
        images.setdefault(r.source, {})[r.predictor] = {name: _means(m) for name, m in r.averages.images.items()}
    summaries = [result.summary() for result in results]
    gains = {source: _gains(list(of_source)) for source, of_source in groupby(results, lambda r: r.source)}
    parts = {"settings": settings, "results": summaries, "images": images, "gains": gains}
    write_json(folder / "results.json", parts)
    rows = [
        {**{k: s[k] for k in ("source", "predictor", "images")}, "average": title, **s[key]}
        for s in summaries
        for key, title in AVERAGES.items()
    ]
    _write_csv(folder / "results.csv", ("source", "predictor", "images", "average"), rows)
    rows = [
        {"source": source, "predictor": predictor, "image": image, **means}
        for source, by_predictor in images.items()
        for predictor, by_image in by_predictor.items()
        for image, means in by_image.items()
    ]
    _write_csv(folder / "images.csv", ("source", "predictor", "image"), rows)


def write_error_map(path: Path, label: str, sample: Mapping[str, np.ndarray], flow12: np.ndarray) -> None:
    """Writes one picture: frame, flow, and KITTI's error bands, or without ground truth the warped frame and its error.

    True and estimated flow have the same scale: the 99th percentile of the true lengths, else the estimated ones.
    """
    image1 = sample["image1"]
    if "flow12" in sample:
        valid = sample["valid1"]
        true = np.where(valid > 0.5, sample["flow12"], np.nan)
        scale = pictures.robust_scale([true])
        error = np.linalg.norm(flow12 - sample["flow12"], axis=-1)[valid[..., 0] > 0.5]
        mean = f", mean {error.mean():.2f} px" if error.size else ""
        bands = pictures.error_map(flow12, sample["flow12"], valid, sample.get("visible1"))
        rows = [
            [("frame 1", image1), (f"true flow; full colour = {scale:.3g} px", pictures.flow_to_colour(true, scale))],
            [(label, pictures.flow_to_colour(flow12, scale)), (f"error{mean}; dark = occluded", bands)],
            [("", pictures.legend(scale, 96)), ("error, px, or that x 5/3 % of the length", pictures.error_legend())],
        ]
    else:
        scale = pictures.robust_scale([flow12])
        warped = warp(sample["image2"], flow12)
        left = np.abs(image1 - warped).mean(axis=-1, keepdims=True) * inside(flow12[None])[0].numpy()
        rows = [
            [("frame 1", image1), ("frame 2 warped", warped)],
            [(label, pictures.flow_to_colour(flow12, scale)), ("abs(frame 1 - warped), white = 64 of 255", 4 * left)],
            [(f"full colour = {scale:.3g} px", pictures.legend(scale, 128))],
        ]
    write_image(path, pictures.contact_sheet(rows))


def safe_name(text: str) -> str:
    """`text` as a file name. Other characters than letters, digits, dot, plus and dash become an underscore."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("_")


def _gains(results: Sequence[Result]) -> dict[str, dict[str, object]]:
    over = results[0].predictor
    return {label: {"over": over, "mean": m, "typical": t} for label, (m, t) in gains_over_first(results).items()}


def _means(measured: Mapping[str, tuple[float, int]]) -> dict[str, float]:
    return {name: total / count for name, (total, count) in measured.items() if count}


def _best(name: str, values: list[float]) -> float | None:
    if name in _RANK_NOT or len(values) < 2:
        return None
    return max(values) if name in _HIGHER else min(values)


def _cell(value: float | None, best: float | None) -> str | Text:
    if value is None:
        return "-"
    text = f"{value:.3f}" if value < 10 else f"{value:.2f}"
    return Text(text, "bold") if value == best else text


def _write_csv(path: Path, keys: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    rows = list(rows)
    present = [name for name in WITH_TRUTH + WITHOUT_TRUTH if any(name in row for row in rows)]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*keys, *present], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
