"""`python -m tfflow.phone`: see `tfflow.commands.phone`."""

from tfflow.commands.main import command_of

main = command_of("phone")

if __name__ == "__main__":
    raise SystemExit(main())
