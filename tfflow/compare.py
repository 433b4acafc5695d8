"""`python -m tfflow.compare`: see `tfflow.commands.compare`."""

from tfflow.commands.main import door

main = door("compare")

if __name__ == "__main__":
    raise SystemExit(main())
