"""`python export/validate.py`: an exported network against the float weights it was made from, on your data too."""

from tfflow.commands.main import command_of

main = command_of("validate")

if __name__ == "__main__":
    raise SystemExit(main())
