"""`python -m tfflow.web`: see `tfflow.commands.web`."""

from tfflow.commands.web import main

if __name__ == "__main__":
    raise SystemExit(main())
