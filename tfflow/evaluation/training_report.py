"""The report of a training run, one picture: flow on examples, the loss curve, the scores."""

from __future__ import annotations

import textwrap
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
from tfflow.evaluation.metrics import check_occlusion
from tfflow.evaluation.predicting import predict, stacked
from tfflow.files import write_whole
from tfflow.ops.arrays import warp

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

TITLE_WIDTH = 140
"""Characters of a line above the pictures."""


def rows_of_flow(
    predictor: Predictor, samples: Sequence[Sample], baseline: Predictor | None = None
) -> list[list[tuple[str, np.ndarray]]]:
    """A row of titled pictures for each sample: frame, flow, true flow (or the baseline's), warped frame, occlusion."""
    rows = []
    for sample in samples:
        images = stacked([sample])
        flow12, flow21 = (np.asarray(f)[0] for f in predict(predictor, images, both=True))
        other = sample.get("flow12")
        title = "ground truth"
        if other is None and baseline is not None:
            other, title = predict(baseline, images, both=False)[0][0], baseline.name
        shown = [flow12] if other is None else [flow12, other]
        scale = max(1.0, pictures.robust_scale(shown))
        row = [("frame 1", sample["image1"]), (f"flow, full = {scale:.1f} px", pictures.flow_to_colour(flow12, scale))]
        if other is not None:
            row.append((title, pictures.flow_to_colour(other, scale)))
        visible = 1.0 - check_occlusion(flow12, flow21)[..., None].astype(np.float32)
        row.append(("frame 2 warped", warp(sample["image2"], flow12)))
        row.append(("found occluded: red", pictures.visibility_overlay(sample["image1"], visible)))
        rows.append(row)
    return rows


def scores_table(scores: Sequence[dict[str, Any]]) -> Table:
    """Scores of a run, `{"when": ..., metric: value}` each, as a table with those of `COLUMNS` that occur."""
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
    """Writes one PNG: the pictures of `rows_of_flow`, the loss curve, the table of scores."""
    sheet = pictures.contact_sheet(rows)
    width = 14.0
    tall = width * sheet.shape[0] / sheet.shape[1]
    figure = Figure(figsize=(width, tall + 5.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("\n".join(textwrap.fill(line, TITLE_WIDTH) for line in title.splitlines()), fontsize="medium")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=(tall, 4.6)), object)
    axes = above.subplots()
    axes.imshow(sheet)
    axes.axis("off")
    left, right = below.subfigures(1, 2, width_ratios=(1.1, 1.0))
    _plot_history(left, history)
    _plot_scores(right.subplots(), scores)
    with write_whole(path) as part:
        figure.savefig(part)


def _plot_history(figure, history) -> None:
    """Plots loss terms over steps, phases side by side, and below them the EPE of the training batches if known."""
    with_epe = any("epe" in row for row in history)
    axes = figure.subplots(1 + with_epe, 1, sharex=True, squeeze=False, height_ratios=(2, 1)[: 1 + with_epe])[:, 0]
    skip = {"step", "phase", "rate", "gradient", "epe"}
    terms = dict.fromkeys(key for row in history for key in row if key not in skip)
    phases = list(dict.fromkeys(row["phase"] for row in history))
    marker = "." if len(history) < 30 else ""
    start = 0
    for i, phase in enumerate(phases):
        of_phase = [row for row in history if row["phase"] == phase]
        for n, term in enumerate(terms):
            _line(axes[0], of_phase, term, color=f"C{n}", marker=marker)
        if with_epe:
            _line(axes[1], of_phase, "epe", color="0.3", marker=marker)
        end = of_phase[-1]["step"]
        for each in axes:
            each.axvspan(start, end, color="0.5", alpha=0.12 * (i % 2), linewidth=0)
        if len(phases) <= 4:
            axes[0].annotate(
                phase, ((start + end) / 2, 1), (0, 3), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize="small",
            )  # fmt: skip
        start = end
    for n, term in enumerate(terms):
        axes[0].plot([], [], color=f"C{n}", label=term)
    if terms:
        axes[0].legend(fontsize="small")
    axes[0].set_ylabel("weighted loss terms")
    if with_epe:
        axes[1].set_ylabel("EPE, px\n(training)")
    axes[-1].set_xlabel("step")
    axes[-1].set_xlim(0, max(start, 1))


def _line(axes, rows, key: str, **style) -> None:
    rows = [row for row in rows if key in row]
    axes.plot([row["step"] for row in rows], [row[key] for row in rows], linewidth=1, **style)


def _plot_scores(axes, scores) -> None:
    columns = [c for c in COLUMNS if any(isinstance(row.get(c), float) for row in scores)]
    axes.axis("off")
    cells = [[f"{row[c]:.3f}" if isinstance(row.get(c), float) else "" for c in columns] for row in scores]
    if cells and columns:
        table = axes.table(
            cells,
            rowLabels=[row["when"] for row in scores],
            colLabels=[COLUMNS[c] for c in columns],
            loc="upper center",
        )
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        table.scale(0.85, 1.5)
        axes.set_title("mean over the measured pairs", fontsize="medium")
