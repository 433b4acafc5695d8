"""What a training run learned, on one page: flow before and after on real pairs, the loss curve, the scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.table import Table

from tfflow.data.records import Sample
from tfflow.evaluation import pictures
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.metrics import check_occlusion, warp
from tfflow.files import write_whole

COLUMNS = {
    "epe": "EPE",
    "epe_noc": "EPE noc",
    "epe_occ": "EPE occ",
    "fl": "Fl %",
    "occ_f": "occlusion F",
    "photometric": "photometric",
    "census": "census",
    "fb_residual": "fb residual px",
}


def rows_of_flow(
    predictor: Predictor, samples: Sequence[Sample], beside: Predictor | None = None
) -> list[list[tuple[str, np.ndarray]]]:
    """A row of titled pictures for each sample: frame, flow, truth or `beside`'s flow, warped frame, visibility."""
    rows = []
    for sample in samples:
        images = sample["image1"][None], sample["image2"][None]
        flow12, flow21 = (np.asarray(f[0]) for f in predictor.both(*images))
        other = sample.get("flow12")
        title = "ground truth"
        if other is None and beside is not None:
            other, title = np.asarray(beside.batch(*images)[0]), beside.name
        shown = [flow12] if other is None else [flow12, other]
        scale = max(1.0, pictures.robust_scale(shown))
        row = [("frame 1", sample["image1"]), (f"flow, full = {scale:.1f} px", pictures.flow_to_colour(flow12, scale))]
        if other is not None:
            row.append((title, pictures.flow_to_colour(other, scale)))
        visible = 1.0 - check_occlusion(flow12, flow21)[..., None].astype(np.float32)
        row.append(("frame 2 warped", warp(sample["image2"], flow12)))
        row.append(("found hidden: red", pictures.visibility_overlay(sample["image1"], visible)))
        rows.append(row)
    return rows


def scores_table(scores: Sequence[dict[str, Any]]) -> Table:
    """Scores of a run as a table: `{"when": ..., metric: value}` each, columns those of `COLUMNS` that occur."""
    table = Table()
    table.add_column("")
    columns = [c for c in COLUMNS if any(isinstance(row.get(c), float) for row in scores)]
    for column in columns:
        table.add_column(COLUMNS[column], justify="right")
    for row in scores:
        table.add_row(row["when"], *[f"{row[c]:.3f}" if isinstance(row.get(c), float) else "" for c in columns])
    return table


def write_report(
    path: Path,
    title: str,
    rows: list[list[tuple[str, np.ndarray]]],
    history: Sequence[dict[str, Any]],
    scores: Sequence[dict[str, Any]],
) -> None:
    """One PNG: the pictures of `rows_of_flow`, the loss curve, the table of scores."""
    sheet = pictures.contact_sheet(rows)
    width = 14.0
    tall = width * sheet.shape[0] / sheet.shape[1]
    figure = Figure(figsize=(width, tall + 5.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(tall, 4.6)), object)
    axes = above.subplots()
    axes.imshow(sheet)
    axes.axis("off")
    curve, table = below.subplots(1, 2, width_ratios=(1.1, 1.0))
    _plot_curve(curve, history)
    _plot_scores(table, scores)
    with write_whole(path) as part:
        figure.savefig(part)


def _plot_curve(axes, history) -> None:
    skip = {"step", "phase", "rate", "gradient", "epe"}
    for phase in dict.fromkeys(row["phase"] for row in history):
        of_phase = [row for row in history if row["phase"] == phase]
        for term in (k for k in of_phase[0] if k not in skip):
            steps, values = [r["step"] for r in of_phase], [r[term] for r in of_phase]
            axes.plot(steps, values, linewidth=1, label=f"{phase}: {term}")
    axes.set_xlabel("step")
    axes.set_ylabel("weighted loss term")
    if any("epe" in row for row in history):
        right = axes.twinx()
        with_epe = [row for row in history if "epe" in row]
        right.plot(
            [r["step"] for r in with_epe], [r["epe"] for r in with_epe], color="grey", linewidth=0.7, label="EPE"
        )
        right.set_ylabel("EPE of the training batches, px (grey; not trained on)")
    if history:
        axes.legend(fontsize="small")


def _plot_scores(axes, scores) -> None:
    columns = [c for c in COLUMNS if any(isinstance(row.get(c), float) for row in scores)]
    axes.axis("off")
    cells = [[f"{row[c]:.3f}" if isinstance(row.get(c), float) else "" for c in columns] for row in scores]
    if cells and columns:
        table = axes.table(
            cells, rowLabels=[row["when"] for row in scores], colLabels=[COLUMNS[c] for c in columns], loc="center"
        )
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        table.scale(0.85, 1.4)
