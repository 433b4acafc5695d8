"""`python -m tfflow.compare`: see `tfflow.commands.compare`."""

from tfflow.commands.main import command_of

main = command_of("compare")

if __name__ == "__main__":
    raise SystemExit(main())
