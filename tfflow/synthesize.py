"""`python -m tfflow.synthesize`: see `tfflow.commands.synthesize`."""

from tfflow.commands.main import command_of

main = command_of("synthesize")

if __name__ == "__main__":
    raise SystemExit(main())
