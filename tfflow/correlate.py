"""`python -m tfflow.correlate`: see `tfflow.commands.correlate`."""

from tfflow.commands.main import command_of

main = command_of("correlate")

if __name__ == "__main__":
    raise SystemExit(main())
