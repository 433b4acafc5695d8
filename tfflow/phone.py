"""`python -m tfflow.phone`: see `tfflow.commands.phone`."""

from tfflow.commands.main import door

main = door("phone")

if __name__ == "__main__":
    raise SystemExit(main())
