"""`python export/validate.py`: an exported network against the float weights it was made from, on your data too."""

from tfflow.commands.validate import main

if __name__ == "__main__":
    raise SystemExit(main())
