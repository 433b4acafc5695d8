"""`python -m tfflow.benchmark`: see `tfflow.commands.benchmark`."""

from tfflow.commands.main import door

main = door("benchmark")

if __name__ == "__main__":
    raise SystemExit(main())
