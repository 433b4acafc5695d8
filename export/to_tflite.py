"""`python export/to_tflite.py`: trained weights to a .tflite for the phone, its manifest and its report."""

from tfflow.commands.main import command_of

main = command_of("export")

if __name__ == "__main__":
    raise SystemExit(main())
