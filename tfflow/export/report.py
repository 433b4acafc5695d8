"""What a validation found: on the screen, as JSON, and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console, Group
from rich.table import Table

from tfflow.data.records import Source
from tfflow.evaluation.report import progress_bar
from tfflow.export.facts import Facts
from tfflow.export.validation import EXPORTED, FLOAT, Comparison, as_dict, compare, failures, picture
from tfflow.files import write_json, write_whole
from tfflow.models import FlowModel
from tfflow.models.tflite import TFLiteModel

KEPT = 2
"""Pairs of each source in the picture."""
BANDS = ("epe_s0-10", "epe_s10-40", "epe_s40+")


@dataclass(frozen=True)
class Report:
    """One export: precision, facts of its file, comparisons with the float network (the built-in scenes first), the
    numbers that have limits, and what is beyond them.
    """

    precision: str
    facts: Facts
    comparisons: Sequence[Comparison]
    values: dict[str, float]

    @property
    def failures(self) -> list[str]:
        return failures(self.precision, self.values, self.facts)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "precision": self.precision,
            "bytes": self.facts.size,
            "int8_share_of_multiply_adds": self.facts.int8_share,
            "multiply_adds": self.facts.multiply_adds,
            "xnnpack_partitions": self.facts.partitions,
            "live_bytes": self.facts.live_bytes,
            "operators": dict(sorted(self.facts.by_kind.items())),
            "comparisons": [as_dict(c) for c in self.comparisons],
            "values": self.values,
            "failures": self.failures,
        }


def compare_all(
    float_model: FlowModel, exported: TFLiteModel, sources: Sequence[Source], limit: int, console: Console
) -> list[Comparison]:
    """Float against exported on each source, with a bar for each."""
    comparisons = []
    for source in sources:
        with progress_bar(console, source.name) as progress:
            comparisons.append(compare(float_model, exported, source, limit=limit, keep=KEPT, progress=progress))
    return comparisons


def show(console: Console, reports: Sequence[Report]) -> int:
    """Prints all, and what is beyond a limit; the exit code: 1 where something is."""
    console.print(tables(reports))
    for report in reports:
        for line in report.failures:
            console.print(f"{report.precision}: {line}", highlight=False, markup=False, style="red")
    return int(any(report.failures for report in reports))


def tables(reports: Sequence[Report]) -> Group:
    """A row an export: the file, then accuracy on each source."""
    files = Table(title="files")
    for head in ("precision", "MB", "to fp32", "int8 share", "XNNPACK parts", "operators", "live MB", "limits"):
        files.add_column(head, justify="left" if head in ("precision", "limits") else "right")
    for r in reports:
        ratio = r.values.get("size_to_fp32")
        files.add_row(
            r.precision, f"{r.facts.size / 1e6:.2f}", "-" if ratio is None else f"{ratio:.2f}",
            f"{r.facts.int8_share:.1%}", str(r.facts.partitions), str(len(r.facts.operators)),
            f"{r.facts.live_bytes / 1e6:.1f}", "kept" if not r.failures else f"{len(r.failures)} not kept",
        )  # fmt: skip
    accuracy = Table(title="accuracy, px; EPE and its bands are means over pairs, drift is over pixels")
    heads = ("precision", "source", "pairs", "EPE float", "EPE", "change", *(b.removeprefix("epe_") for b in BANDS))
    for head in (*heads, "drift mean", "p95", "p99", "largest"):
        accuracy.add_column(head, justify="left" if head in ("precision", "source") else "right")
    for r in reports:
        for c in r.comparisons:
            exported, true = c.epe.get(EXPORTED, {}), c.epe.get(FLOAT, {})
            accuracy.add_row(
                r.precision, c.source, str(c.pairs), _px(true.get("epe")), _px(exported.get("epe")),
                f"{c.epe_change:+.2%}" if true else "-", *(_px(exported.get(b)) for b in BANDS),
                *(f"{c.drift[k]:.4f}" for k in ("mean", "p95", "p99", "largest")),
            )  # fmt: skip
    return Group(files, accuracy)


def ladder(reports: Sequence[Report], times: Sequence[Mapping[int, float]]) -> str:
    """Markdown: a row a precision; size, EPE on each source and its change from the float network, drift, latency.

    times: of each report's file, {threads: ms}. EPE of sources with ground truth; drift on the first of them, px.
    """
    sources = [c for c in reports[0].comparisons if c.epe]
    names = [f"EPE {c.source.partition(':')[0]} ({c.pairs})" for c in sources]
    lines = [
        [
            "precision",
            "MB",
            *names,
            "drift mean",
            "p99",
            *(f"ms, {n} thread{'s' * (n > 1)}" for n in times[0]),
            "limits",
        ],
        ["---", *["---:"] * (len(names) + 3 + len(times[0])), "---"],
    ]
    for r, ms in zip(reports, times, strict=True):
        known = [c for c in r.comparisons if c.epe]
        epe = [f"{c.epe[EXPORTED]['epe']:.3f} ({c.epe_change:+.1%})" for c in known]
        drift = [f"{r.comparisons[0].drift[k]:.4f}" for k in ("mean", "p99")]
        kept = "kept" if not r.failures else "; ".join(r.failures)
        lines.append([r.precision, f"{r.facts.size / 1e6:.2f}", *epe, *drift, *(f"{x:.1f}" for x in ms.values()), kept])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _px(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def write_report(folder: Path, report: Report) -> None:
    """report.json, and report.png: frames, float flow, exported flow, difference."""
    write_json(folder / "report.json", report.as_dict())
    with write_whole(folder / "report.png") as part:
        cv2.imwrite(str(part), picture(report.comparisons)[..., ::-1])
