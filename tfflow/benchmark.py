"""`python -m tfflow.benchmark`: see `tfflow.commands.benchmark`."""

from tfflow.commands.main import command_of

main = command_of("benchmark")

if __name__ == "__main__":
    raise SystemExit(main())
