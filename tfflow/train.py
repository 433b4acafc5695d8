"""`python -m tfflow.train`: see `tfflow.commands.train`."""

from tfflow.commands.train import main

if __name__ == "__main__":
    raise SystemExit(main())
