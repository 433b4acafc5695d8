"""`python -m tfflow.correlate`: see `tfflow.commands.correlate`."""

from tfflow.commands.correlate import main

if __name__ == "__main__":
    raise SystemExit(main())
