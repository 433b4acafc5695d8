"""`python -m tfflow.predict`: see `tfflow.commands.predict`."""

from tfflow.commands.main import door

main = door("predict")

if __name__ == "__main__":
    raise SystemExit(main())
