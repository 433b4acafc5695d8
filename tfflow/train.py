"""`python -m tfflow.train`: see `tfflow.commands.train`."""

from tfflow.commands.main import command_of

main = command_of("train")

if __name__ == "__main__":
    raise SystemExit(main())
