"""Runs every file of a folder of hard inputs, and says for each whether the outcome is the right one.

    python tests/cases.py FOLDER                     # one line a case; exit code 1 where one is not right
    python tests/cases.py FOLDER --root OLDER        # the same by another checkout of the repository
    python tests/cases.py FOLDER --only png_exif     # cases with this text in their name

The subfolder says what kind a case is, see KINDS: `interlaced/`, `av1/`, `hostile/`, ... hold any files of that kind.
True motion is (3, 2) px. Each case is a process of its own with a time limit; its memory is the most that it held.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

LIMIT_S, LIMIT_MB, LONGEST = 300, 2048, 300
"""Of a case: seconds until it is ended, memory, and characters of a refusal."""
QUICK_S = 20
"""Processor seconds of a refusal, the start of TensorFlow on a slow machine included."""
NOISE = r"[IW]\d{4} |WARNING: All"  # of TensorFlow
READ = (
    "import sys, numpy; from tfflow.models.importing.torch_file import read_state; state = read_state(sys.argv[1]);"
    "print('read', {name: (x.shape, float(numpy.float64(x).mean())) for name, x in state.items()})"
)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    words: tuple[str, ...]
    right: Callable[[Outcome], str]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code (None where it was ended), processor seconds, MiB, text and folder."""

    code: int | None
    seconds: float
    memory: float
    text: str
    out: Path
    problem: str = ""

    @property
    def said(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("tfflow: ")]

    @property
    def last(self) -> str:
        others = [line for line in self.text.splitlines() if line.strip() and not re.match(NOISE, line)]
        return (self.said or others or [""])[-1].strip()

    def flows(self) -> list[np.ndarray]:
        return [read_flo(path) for path in sorted(self.out.rglob("*.flo"))]


def read_flo(path: Path) -> np.ndarray:
    data = path.read_bytes()
    width, height = np.frombuffer(data, "<i4", 2, 4)
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2)


def refused(*texts: str) -> Callable[[Outcome], str]:
    """In one line with these texts, with exit code 2, soon."""

    def judge(o: Outcome) -> str:
        if o.code != 2 or "Traceback" in o.text:
            return "expected exit code 2 and no traceback"
        if len(o.said) != 1 or len(o.said[0]) > LONGEST:
            return f"expected one line of at most {LONGEST} characters, got {[len(line) for line in o.said]}"
        missing = [text for text in texts if not re.search(text, o.last)]
        return f"the refusal does not say {missing}" if missing else in_bounds(o)

    return judge


def in_bounds(o: Outcome) -> str:
    bounded = o.seconds <= QUICK_S and o.memory <= LIMIT_MB
    return "" if bounded else f"expected at most {QUICK_S} s and {LIMIT_MB} MiB"


def moved(o: Outcome, share: float = 1.0) -> str:
    """Of this share of the pairs, at least, the median is the true motion."""
    flows = o.flows()
    if o.code != 0 or not flows:
        return "expected flow and exit code 0"
    far = [i for i, flow in enumerate(flows) if np.abs(np.median(flow, (0, 1)) - (3, 2)).max() > 1]
    if len(far) > (1 - share) * len(flows):
        return f"{len(far)} of {len(flows)} pairs are not near (3, 2): {np.median(flows[far[0]], (0, 1)).round(1)}"
    return ""


def decoded_or(*texts: str) -> Callable[[Outcome], str]:
    return lambda o: moved(o) if o.code == 0 else refused(*texts)(o)


def warned(*texts: str) -> Callable[[Outcome], str]:
    """The flow is that of the pairs that are there, and a warning has these texts."""
    return lambda o: (
        moved(o)
        or ("" if all(re.search(text, "\n".join(o.said)) for text in texts) else f"expected a warning with {texts}")
    )


def still(o: Outcome) -> str:
    longest = [float(np.linalg.norm(flow, axis=-1).max()) for flow in o.flows()]
    if o.code != 0 or not longest:
        return "expected flow and exit code 0"
    return "" if max(longest) < 0.1 else f"expected below 0.1 px, got {max(longest):.2f}"


def turned(o: Outcome) -> str:
    """Upright frames are as high as the files are wide."""
    shapes = {flow.shape[:2] for flow in o.flows()}
    if o.code != 0 or len(shapes) != 1:
        return "expected flow and exit code 0"
    height, width = shapes.pop()
    return "" if height < width else f"expected frames that are turned, got {width} x {height}"


def in_order(o: Outcome) -> str:
    numbers = [int(text) for text in re.findall(r"(\d+)\.flo", " ".join(sorted(p.name for p in o.out.rglob("*.flo"))))]
    wrong = moved(o)
    return "" if not wrong and (o.said or numbers == sorted(numbers)) else wrong or "expected a warning"


def says(*texts: str, code: int) -> Callable[[Outcome], str]:
    def judge(o: Outcome) -> str:
        missing = [text for text in texts if not re.search(text, o.text)]
        if "Traceback" in o.text or o.code != code:
            return f"expected exit code {code} and no traceback"
        return f"expected {missing}" if missing else ""

    return judge


def bounded(o: Outcome) -> str:
    """Done or refused, at a cost that the file's limit allows."""
    return in_bounds(o) if o.code == 0 else refused()(o)


def each(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def predict(*paths: Path) -> tuple[str, ...]:
    return ("-m", "tfflow.predict", *map(str, paths), "--formats", "flo", "--out", "{out}")


def one_by_one(right: Callable[[Outcome], str]) -> Callable[[Path], Iterator[tuple[str, tuple[str, ...], Callable]]]:
    return lambda folder: ((path.name, predict(path), right) for path in each(folder))


def hostile(folder: Path) -> Iterator[tuple[str, tuple[str, ...], Callable]]:
    for path in each(folder):
        if path.suffix in (".pth", ".t7"):
            network = "pwclite" if path.suffix == ".pth" else "spynet"
            words = ("-m", "tfflow.import_weights", str(path), "--model", network, "--out", "{out}/w.safetensors")
            yield path.name, words, refused()
        else:
            yield path.name, predict(path, path), bounded if path.suffix == ".png" else refused()


def train(right: Callable[[Outcome], str]) -> Callable[[Path], Iterator[tuple[str, tuple[str, ...], Callable]]]:
    words = ("-m", "tfflow.train", "--data", "frames:{folder}", "--steps", "6", "--batch", "1", "--out", "{out}")
    return lambda folder: iter([("", tuple(word.replace("{folder}", str(folder)) for word in words), right)])


KINDS: dict[str, Callable[[Path], Iterator[tuple[str, tuple[str, ...], Callable]]]] = {
    "interlaced": one_by_one(decoded_or("interlaced|cannot", "ffmpeg")),
    "edit_list": one_by_one(lambda o: moved(o, 0.9)),  # what is shown may begin anew
    "damaged_middle": one_by_one(warned("missing|lost|damaged", r"frames? \d")),
    "av1": one_by_one(decoded_or("(?i)av1", "ffmpeg")),
    "black_frames": one_by_one(still),
    "png_exif": lambda folder: iter([("", predict(*each(folder)), turned)]),
    "shell_glob_order": lambda folder: iter([("*", predict(*each(folder)), in_order)]),
    "folder_fullwidth_digits": lambda folder: iter([("", predict(folder), moved)]),
    "checkpoints": lambda folder: (
        (path.name, ("-c", READ, str(path)), says(r"read \{.+\}", code=0)) for path in each(folder)
    ),
    "train_static": train(says("do not move", code=2)),
    "train_tiny": train(says(r"\d+ ?x ?\d+", code=2)),
    "hostile": hostile,
}
"""What is run on a folder of this name, and what is right."""


def cases(folder: Path) -> list[Case]:
    """Those of all subfolders that KINDS knows, in the order of their names."""
    known = [path for path in sorted(folder.iterdir()) if path.name in KINDS]
    return [
        Case("/".join(filter(None, (path.name, name))), words, right)
        for path in known
        for name, words, right in KINDS[path.name](path)
    ]


def run(case: Case, root: Path) -> Outcome:
    """Runs it by the checkout at `root`, with a cache of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary, "out")
        env = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
        env |= {"PYTHONPATH": str(root), "TFFLOW_CACHE": str(Path(temporary, "cache")), "COLUMNS": "1000"}
        words = [word.replace("{out}", str(out)) for word in case.words]
        with (Path(temporary, "text")).open("wb+") as text:
            process = subprocess.Popen(
                [sys.executable, *words], cwd=root, env=env, stdout=text, stderr=text, start_new_session=True
            )
            ended = threading.Timer(LIMIT_S, os.killpg, (process.pid, signal.SIGKILL))
            ended.start()
            _, status, usage = os.wait4(process.pid, 0)
            in_time = ended.is_alive()
            ended.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            text.seek(0)
            said = text.read().decode("utf-8", "replace")
        code = process.returncode if in_time else None
        outcome = Outcome(code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said, out)
        return dataclasses.replace(outcome, problem=case.right(outcome))


def line(case: Case, outcome: Outcome, folder: Path) -> str:
    end = f"ended after {LIMIT_S} s" if outcome.code is None else f"exit {outcome.code}"
    verdict = f"WRONG ({outcome.problem})" if outcome.problem else "right"
    words = [word if len(word) < 100 else "READ_STATE" for word in case.words]
    command = shlex.join(words).replace(f"{folder}/", "").replace("'{out}'", "OUT").replace(" --out OUT", "")
    last = outcome.last if len(outcome.last) <= 200 else f"{outcome.last[:200]}... ({len(outcome.last):,} characters)"
    return f"{verdict} | {case.name} | {command} | {end} | {outcome.seconds:.1f} s | {outcome.memory:.0f} MiB | {last}"


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="the checkout that is run")
    p.add_argument("--only", default="", metavar="TEXT", help="cases with this text in their name")
    args = p.parse_args()
    folder, wrong, count = args.folder.resolve(), 0, 0
    for case in cases(folder):
        if args.only in case.name:
            outcome = run(case, args.root.resolve())
            print(line(case, outcome, folder), flush=True)
            wrong, count = wrong + bool(outcome.problem), count + 1
    print(f"{count - wrong} of {count} cases are right")
    return int(wrong > 0 or count == 0)


if __name__ == "__main__":
    raise SystemExit(main())
