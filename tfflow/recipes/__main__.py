"""`python -m tfflow.recipes`: see `tfflow.commands.recipes`."""

from tfflow.commands.main import door

main = door("recipes")

if __name__ == "__main__":
    raise SystemExit(main())
