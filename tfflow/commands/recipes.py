"""Lists the methods; of one, prints its paper, equation, phases and departures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tfflow.commands.options import Parser
from tfflow.errors import command
from tfflow.terminal import console as plain_console

if TYPE_CHECKING:
    from tfflow.recipes import Recipe


def parser() -> Parser:
    p = Parser("tfflow recipes", __doc__)
    p.add_argument("name", nargs="?", help="one recipe, in full; or a Python file that holds one, which is executed")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)

    from tfflow.recipes import RECIPES, get_recipe

    console = plain_console()
    if args.name:
        _print_one(console, get_recipe(args.name))
        return 0
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for head in ("recipe", "network", "labels", "paper"):
        table.add_column(head, no_wrap=head != "paper", overflow="fold")
    for recipe in RECIPES.values():
        table.add_row(recipe.name, recipe.model, "yes" if recipe.needs_truth else "no", _cited(recipe.paper))
    console.print(table)
    return 0


def _cited(paper: str) -> str:
    """Authors and venue of a paper, without its title; all before the first comma where no venue is named."""
    authors, _, rest = paper.partition(", ")
    venue = re.search(r"[A-Z][A-Z]+(?: [A-Z]\w+)? \d{4}", rest)
    return f"{authors}, {venue[0]}" if venue else authors


def _print_one(console: Console, recipe: Recipe) -> None:
    console.print(Text.assemble((recipe.name, "bold"), f"  {recipe.paper}"))
    console.print(f"equation: {recipe.equation}")
    height, width = recipe.crop
    console.print(f"network {recipe.model}, batch {recipe.batch}, crop {height}x{width}, {recipe.optimizer}")
    console.print(f"augmentation: {', '.join(map(repr, recipe.augmentation)) or 'none'}")
    if recipe.labels:
        console.print(f"the frames texture scenes with exact flow: {recipe.labels}")
    for i, phase in enumerate(recipe.phases, 1):
        lines = [
            f"phase {i}, {phase.name}: {phase.steps:,} steps, {phase.learning_rate}",
            f"  minimise {phase.objective}",
            f"  {'both directions' if phase.directions == 2 else '1->2 alone'}, visible: {phase.visibility}",
        ]
        if teacher := phase.teacher:
            lines.append(f"  a student sees {teacher.student:g} of the crop's sides, a teacher from before all of it")
            scales = ", ".join(f"{scale:g}" for scale in teacher.scales)
            lines += [f"  the teacher makes passes at scales {scales}"] * (teacher.scales != (1.0,))
            lines += ["  the teacher's flow is refined by OpenCV's variational method"] * teacher.refined
            lines += [f"  the teacher counts by {teacher.trust}"] * bool(teacher.trust)
            lines += [f"  what covers the student's second frame: {teacher.occluders}"] * bool(teacher.occluders)
        if phase.second:
            lines.append(f"  a second pass, under {', '.join(map(repr, phase.second.changes))}, follows the first")
            lines += [f"  the first pass counts by {phase.second.trust}"] * bool(phase.second.trust)
        lines += [f"  trains {phase.part.weights}..."] * bool(phase.part.weights)
        lines += [f"  starts with {to}... from {origin}..." for to, origin in phase.part.start]
        lines += [f"  judges the flow of network {phase.part.net} of the stack"] * bool(phase.part.net)
        console.print("\n".join(lines))
    _print_rest(console, recipe)


def _print_rest(console: Console, recipe: Recipe) -> None:
    begins = {"pretrained": "the weights that come with the package for the network", "given": "weights given to it"}
    if recipe.weights != "random":
        console.print(f"goes on from {begins.get(recipe.weights, f'the weights {recipe.weights}')}")
    if recipe.levels_optional:
        console.print("a network that lacks a level is trained without the terms there, of which training tells")
    console.print("departures from the paper:")
    for departure in recipe.departures:
        console.print(f"  - {departure}")


if __name__ == "__main__":
    raise SystemExit(main())
