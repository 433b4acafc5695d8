"""`python -m tfflow.prove`: see `tfflow.commands.prove`."""

from tfflow.commands.prove import main

if __name__ == "__main__":
    raise SystemExit(main())
