"""`python -m tfflow.benchmark`: see `tfflow.commands.benchmark`."""

from tfflow.commands.benchmark import main

if __name__ == "__main__":
    raise SystemExit(main())
