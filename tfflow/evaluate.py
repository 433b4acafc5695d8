"""`python -m tfflow.evaluate`: see `tfflow.commands.evaluate`."""

from tfflow.commands.main import command_of

main = command_of("evaluate")

if __name__ == "__main__":
    raise SystemExit(main())
