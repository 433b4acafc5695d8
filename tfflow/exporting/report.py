"""What a validation found: on the screen, as JSON, and as a picture."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Group
from rich.table import Table

from tfflow.exporting.facts import Facts
from tfflow.exporting.validation import EXPORTED, FLOAT, Comparison, as_dict, failures, picture
from tfflow.files import write_json, write_whole

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

    def table(self) -> str:
        """Markdown: one row, as in the table of several precisions."""
        return ladder([self])

    def save(self, folder: str | os.PathLike) -> None:
        """Writes report.json, and report.png: frames, float flow, exported flow, difference."""
        folder = Path(folder)
        write_json(folder / "report.json", self.as_dict())
        with write_whole(folder / "report.png") as part:
            cv2.imwrite(str(part), picture(self.comparisons)[..., ::-1])


def tables(reports: Sequence[Report]) -> Group:
    """A row an export: the file, then accuracy on each source."""
    files = Table(title="files")
    for head in ("precision", "MB", "to fp32", "int8 share", "XNNPACK pieces", "operators", "live MB", "limits"):
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


def ladder(reports: Sequence[Report], times: Mapping[str, Mapping[int, float]] | None = None) -> str:
    """Markdown: a row a precision; size, EPE on each source and its change from the float network, drift, latency.

    times: {precision: {threads: ms}}. EPE of sources with ground truth; drift on the first source, px.
    """
    times = times or {}
    sources = [c for c in reports[0].comparisons if c.epe]
    threads = list(times.get(reports[0].precision, {}))
    numbers = [
        "MB",
        *(f"EPE {c.source.partition(':')[0]} ({c.pairs})" for c in sources),
        "drift mean",
        "p99",
        *(f"ms, {n} thread{'s' * (n > 1)}" for n in threads),
    ]
    lines = [["precision", *numbers, "limits"], ["---", *["---:"] * len(numbers), "---"]]
    for r in reports:
        known = [c for c in r.comparisons if c.epe]
        epe = [f"{c.epe[EXPORTED]['epe']:.3f} ({c.epe_change:+.1%})" for c in known]
        drift = [f"{r.comparisons[0].drift[k]:.4f}" for k in ("mean", "p99")]
        ms = [f"{times[r.precision][n]:.1f}" for n in threads]
        kept = "kept" if not r.failures else "; ".join(r.failures)
        lines.append([r.precision, f"{r.facts.size / 1e6:.2f}", *epe, *drift, *ms, kept])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def spread(of_seeds: Sequence[tuple[int, float, Report]]) -> str:
    """Markdown: a row for each fine-tuning of int8-qat (seed, selection score, report), then mean and deviation.

    EPE of sources with ground truth, and how much it is above the float network's; drift on the first source, px.
    """
    sources = [c for c in of_seeds[0][2].comparisons if c.epe]
    heads = [f"EPE {c.source.partition(':')[0]} ({c.pairs})" for c in sources]
    lines = [["int8-qat", "selected by, px", *heads, "drift mean", "to its simulation, px"]]
    lines.append(["---", *["---:"] * (len(heads) + 3)])
    columns = []
    for seed, score, report in of_seeds:
        known = [c for c in report.comparisons if c.epe]
        gap = report.values["fake_quantized_mean_px"]
        numbers = [score, *(c.epe[EXPORTED]["epe"] for c in known), report.comparisons[0].drift["mean"], gap]
        columns.append((numbers, [100 * c.epe_change for c in known]))
        epe = [f"{c.epe[EXPORTED]['epe']:.3f} ({c.epe_change:+.1%})" for c in known]
        lines.append([f"seed {seed}", f"{score:.4f}", *epe, f"{numbers[-2]:.4f}", f"{gap:.4f}"])
    for name, sign, of in (("mean", "+", np.mean), ("deviation", "", functools.partial(np.std, ddof=1))):
        score, *errors, drift, gap = np.asarray(of([numbers for numbers, _ in columns], axis=0)).tolist()
        changes = np.asarray(of([changes for _, changes in columns], axis=0)).tolist()
        epe = [f"{x:.3f} ({change:{sign}.1f}%)" for x, change in zip(errors, changes, strict=True)]
        lines.append([name, f"{score:.4f}", *epe, f"{drift:.4f}", f"{gap:.4f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _px(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
