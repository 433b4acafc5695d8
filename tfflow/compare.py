"""`python -m tfflow.compare`: see `tfflow.commands.compare`."""

from tfflow.commands.compare import main

if __name__ == "__main__":
    raise SystemExit(main())
