"""`python export/to_tflite.py`: trained weights to a .tflite for the phone, its manifest and its report."""

from tfflow.commands.to_tflite import main

if __name__ == "__main__":
    raise SystemExit(main())
