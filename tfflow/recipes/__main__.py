"""`python -m tfflow.recipes`: see `tfflow.commands.recipes`."""

from tfflow.commands.main import command_of

main = command_of("recipes")

if __name__ == "__main__":
    raise SystemExit(main())
