"""`python -m tfflow.release`: see `tfflow.commands.release`."""

from tfflow.commands.main import door

main = door("release")

if __name__ == "__main__":
    raise SystemExit(main())
