"""`python -m tfflow.prove`: see `tfflow.commands.prove`."""

from tfflow.commands.main import command_of

main = command_of("prove")

if __name__ == "__main__":
    raise SystemExit(main())
