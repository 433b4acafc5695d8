"""`python -m tfflow.evaluate`: see `tfflow.commands.evaluate`."""

from tfflow.commands.evaluate import main

if __name__ == "__main__":
    raise SystemExit(main())
