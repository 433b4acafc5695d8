"""`python -m tfflow`: the command `tfflow`, where it is not on the path."""

from tfflow.commands.main import main

if __name__ == "__main__":
    raise SystemExit(main())
