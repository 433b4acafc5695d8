"""`python -m tfflow.train`: see `tfflow.commands.train`."""

from tfflow.commands.main import door

main = door("train")

if __name__ == "__main__":
    raise SystemExit(main())
