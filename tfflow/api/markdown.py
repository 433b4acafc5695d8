"""A table of text and numbers in Markdown, as the documents hold it."""

from __future__ import annotations

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], digits: int = 2) -> str:
    """The first column is text, the others numbers with so many digits, or text."""
    cells = [[f"{x:.{digits}f}" if isinstance(x, float) else str(x) for x in row] for row in rows]
    lines = [list(heads), ["---", *["---:"] * (len(heads) - 1)], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
