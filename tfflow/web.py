"""`python -m tfflow.web`: see `tfflow.commands.web`."""

from tfflow.commands.main import command_of

main = command_of("web")

if __name__ == "__main__":
    raise SystemExit(main())
