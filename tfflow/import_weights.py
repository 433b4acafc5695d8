"""`python -m tfflow.import_weights`: see `tfflow.commands.import_weights`."""

from tfflow.commands.import_weights import main

if __name__ == "__main__":
    raise SystemExit(main())
