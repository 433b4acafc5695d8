"""`python -m tfflow.predict`: see `tfflow.commands.predict`."""

from tfflow.commands.predict import main

if __name__ == "__main__":
    raise SystemExit(main())
