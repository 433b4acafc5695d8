"""`python -m tfflow.synthesize`: see `tfflow.commands.synthesize`."""

from tfflow.commands.main import door

main = door("synthesize")

if __name__ == "__main__":
    raise SystemExit(main())
