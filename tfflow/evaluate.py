"""`python -m tfflow.evaluate`: see `tfflow.commands.evaluate`."""

from tfflow.commands.main import door

main = door("evaluate")

if __name__ == "__main__":
    raise SystemExit(main())
