"""The model card and the table of scores, from the records of trained weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfflow.evaluation.refinement import is_default
from tfflow.evaluation.scoring import Result


def scores(results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """The results of one source as [{"data", "pairs", "epe": {predictor: mean over the pairs, px}}].

    There is an entry for each scene if the source has scenes ("alley_1/frame_0001"), else one.
    Raises ValueError if there is no ground truth.
    """
    images = next(iter(results.values())).averages.images
    if not all("epe" in measured for measured in images.values()):
        raise ValueError(f"{next(iter(results.values())).source} has no ground truth")
    scenes: dict[str, list[str]] = {}
    for image in images:
        scenes.setdefault(image.rpartition("/")[0], []).append(image)
    entries = []
    for scene, members in scenes.items():
        epe = {}
        for label, result in results.items():
            means = [total / count for total, count in (result.averages.images[m]["epe"] for m in members)]
            epe[label] = sum(means) / len(means)
        kind = next(iter(results.values())).source.partition(":")[0]
        entries.append({"data": f"{kind} {scene}".strip(), "pairs": len(members), "epe": epe})
    return entries


def scores_table(records: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table: a column for each data set, a row for each baseline and each use of the weights of `records`.

    Baselines have the numbers that were measured with the first of the records. The best of the baselines and the
    networks in one pass, which is the default, is bold.
    """
    columns: dict[tuple[str, int], dict[str, float]] = {}
    for record in records:
        for entry in record["scores"]:
            column = columns.setdefault((entry["data"], entry["pairs"]), {})
            for label, epe in entry["epe"].items():
                column.setdefault(label, epe)
    lines = [
        _row(["EPE, px (pairs)", *(f"{data} ({pairs})" for data, pairs in columns)]),
        _row(["---", *["---:"] * len(columns)]),
    ]
    for label in dict.fromkeys(label for column in columns.values() for label in column):
        cells = [_figure(column[label], label, column) if label in column else "-" for column in columns.values()]
        lines.append(_row([label, *cells]))
    return "\n".join(lines)


def card(record: Mapping[str, Any]) -> str:
    """The model card of pretrained weights, Markdown."""
    labels = "with the exact flow of rendered scenes" if record["labels"] else "without labels"
    lines = [
        f"# {record['name']}",
        "",
        f"Weights of `{record['network']}` ({record['parameters']:,} parameters), trained {labels}.",
        f"{record['bytes'] / 1e6:.1f} MB, licence {record['licence']}, SHA-256 `{record['sha256']}`.",
        "",
        "    import tfflow",
        f'    flow = tfflow.load("{record["name"]}").flow(image1, image2)  # [h, w, 2], (u, v) in px',
        "",
        "## Measured",
        "",
        "Endpoint error, mean over the pairs, beside classical methods of OpenCV on the same pairs in the same run.",
        "No pair was used for training. A bare name is one pass: the default, and what an exported file does.",
        '"at 0.5,1" is `--scales 0.5,1`: passes at half and at full size; "+ variational" is `--refine variational`. '
        "Bold: best in one pass.",
        "",
        scores_table([record]),
        "",
        *_still(record),
        "## Trained",
        "",
        _row(["recipe", "steps", "hours", "data", "started from"]),
        _row(["---", "---:", "---:", "---", "---"]),
        *(
            _row([f"`{run['recipe']}`", f"{run['steps']:,}", f"{run['hours']:.2f}", f"`{run['data']}`", run["start"]])
            for run in record["training"]
        ),
        "",
        "`tfflow recipes NAME` prints a recipe in full. The report of the last run, with its examples and losses:",
        "",
        f"![training of {record['name']}]({record['name']}.png)",
        "",
    ]
    if record.get("notes"):
        lines += ["## Notes", "", record["notes"].strip(), ""]
    return "\n".join(lines)


def _still(record: Mapping[str, Any]) -> list[str]:
    """The flow of frames without motion; empty for old records, which lack it."""
    if "still" not in record:
        return []
    same, near = (record["still"][name] for name in ("identical", "one grey level apart"))
    text = (
        f"Of frames that are black, grey, or of blocks: at most {same:.2f} px where both are identical, {near:.2f} px"
    )
    return [text, "where one pixel differs by one grey level.", ""]


def _figure(value: float, label: str, column: Mapping[str, float]) -> str:
    defaults = [epe for other, epe in column.items() if is_default(other)]
    return f"**{value:.2f}**" if is_default(label) and value == min(defaults) else f"{value:.2f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
