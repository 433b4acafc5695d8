"""`python -m tests.training.agreement STEP NAME=FACT... / STEP ...`: one machine of TF_CONFIG, which says on what all
agree, one line for each part between strokes."""

from __future__ import annotations

import sys

from tfflow.errors import InputError
from tfflow.training.cluster import check_agreement, machines_of
from tfflow.training.strategy import choose_strategy


def main(arguments: list[str]) -> None:
    strategy = choose_strategy()
    machines, machine = machines_of(strategy)
    print(f"machine {machine} of {machines}")
    for part in " ".join(arguments).split("/"):
        step, *facts = part.split()
        try:
            check_agreement(strategy, int(step), dict(fact.split("=") for fact in facts))
            print("agreed")
        except InputError as error:
            print(error)


if __name__ == "__main__":
    main(sys.argv[1:])
