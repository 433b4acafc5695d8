"""`python -m tfflow.import_weights`: see `tfflow.commands.import_weights`."""

from tfflow.commands.main import command_of

main = command_of("import-weights")

if __name__ == "__main__":
    raise SystemExit(main())
