"""`python -m tfflow.predict`: see `tfflow.commands.predict`."""

from tfflow.commands.main import command_of

main = command_of("predict")

if __name__ == "__main__":
    raise SystemExit(main())
