"""`python export/benchmark.py`: how long exported networks take on this machine, beside DIS; and on a phone, by adb."""

from tfflow.commands.main import command_of

main = command_of("benchmark-export")

if __name__ == "__main__":
    raise SystemExit(main())
