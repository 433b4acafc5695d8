"""`python -m tfflow.web`: see `tfflow.commands.web`."""

from tfflow.commands.main import door

main = door("web")

if __name__ == "__main__":
    raise SystemExit(main())
