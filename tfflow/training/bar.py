"""The progress bar of a training run."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tfflow.recipes import Phase


class Bar:
    """Shows phase, losses, EPE, steps a second and the time left. Without a terminal it prints one line a minute."""

    def __init__(self, console: Console, shown: bool):
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._console, self._shown = console, shown
        self._progress = Progress(*columns, console=console, disable=not (shown and console.is_terminal))
        self._task = self._progress.add_task("starting", total=None)
        self._written = time.monotonic()

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *error) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        self._progress.update(self._task, description=text)

    def show(self, step: int, steps: int, phase: Phase, values: dict[str, float], pace: float) -> None:
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        text = f"{phase.name}  {numbers}" + (f"  {pace:.2f} steps/s" if pace else "")
        self._progress.update(self._task, description=text, completed=step, total=steps)
        now = time.monotonic()
        if self._shown and not self._console.is_terminal and pace and (now - self._written > 60 or step == steps):
            self._written = now
            self._console.print(
                f"step {step}/{steps}  {text}  {(steps - step) / pace / 60:.0f} min left", highlight=False
            )
