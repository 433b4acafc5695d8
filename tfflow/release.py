"""`python -m tfflow.release`: see `tfflow.commands.release`."""

from tfflow.commands.main import command_of

main = command_of("release")

if __name__ == "__main__":
    raise SystemExit(main())
