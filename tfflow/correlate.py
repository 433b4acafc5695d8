"""`python -m tfflow.correlate`: see `tfflow.commands.correlate`."""

from tfflow.commands.main import door

main = door("correlate")

if __name__ == "__main__":
    raise SystemExit(main())
