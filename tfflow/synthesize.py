"""`python -m tfflow.synthesize`: see `tfflow.commands.synthesize`."""

from tfflow.commands.synthesize import main

if __name__ == "__main__":
    raise SystemExit(main())
