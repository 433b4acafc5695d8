"""`python -m tfflow.prove`: see `tfflow.commands.prove`."""

from tfflow.commands.main import door

main = door("prove")

if __name__ == "__main__":
    raise SystemExit(main())
