"""`python -m tfflow.release`: see `tfflow.commands.release`."""

from tfflow.commands.release import main

if __name__ == "__main__":
    raise SystemExit(main())
