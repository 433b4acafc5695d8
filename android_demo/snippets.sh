#!/usr/bin/env bash
# The snippets of docs/snippets/ that a compiler here takes: Kotlin is compiled, C++ compiled and run. Needs a build of
# build_apk.sh, whose tools it takes, and of C++ the desktop's TensorFlow Lite that the core's tests run on.
#
#   ./snippets.sh DIR
#
# DIR: an output folder of `tfflow export`. PYTHON: of an environment with tfflow[export].
set -euo pipefail
[ $# = 1 ] || { echo "snippets.sh: give an export: DIR" >&2; exit 2; }
model="$(realpath "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"
tools=build/apk/tools work=build/snippets snippets=../docs/snippets
[ -d "$tools/jars" ] || { echo "snippets.sh: run build_apk.sh first: its compiler and libraries are used" >&2; exit 2; }
rm -rf "$work"
mkdir -p "$work/kotlin"

compiler="$(printf '%s:' "$tools"/jars/{kotlin,annotations,trove4j}*.jar)"
java -Xmx1500m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$compiler" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler \
  -no-stdlib -no-reflect -jvm-target 1.8 -Xjdk-release=1.8 -d "$work/kotlin" "$snippets/Flow.kt" \
  -cp "$(echo "$tools"/jars/kotlin-stdlib-*.jar):$(echo "$tools"/jars/android-all-*.jar):$tools/tensorflow-lite-2.16.1/classes.jar:$tools/tensorflow-lite-api-2.16.1/classes.jar"
[ -f "$work/kotlin/Flow.class" ]
echo "Flow.kt: compiled"

command -v g++ >/dev/null || { echo "flow.cpp: not compiled, g++ is missing"; exit 0; }
cat >"$work/main.cpp" <<'CPP'
// model.tflite signature height width uint8 low high frames out: frames is both images, one after the other.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "flow.cpp"

int main(int, char** given) {
  const Manifest m{given[2], atoi(given[3]), atoi(given[4]), std::string(given[5]) == "uint8", strtof(given[6], nullptr), strtof(given[7], nullptr)};
  const size_t count = size_t(m.height) * m.width * 3;
  std::vector<uint8_t> frames(2 * count);
  FILE* in = fopen(given[8], "rb");
  if (!in || fread(frames.data(), 1, frames.size(), in) != frames.size()) return 1;
  const auto uv = flow(given[1], m, frames.data(), frames.data() + count);
  FILE* out = fopen(given[9], "wb");
  return out && fwrite(uv.data(), sizeof(float), uv.size(), out) == uv.size() && !fclose(out) ? 0 : 1;
}
CPP
# Two headers that the AAR's own refer to and lack; nothing of them is used.
mkdir -p "$work/lacking/tensorflow/lite/core/async/c" "$work/lacking/tensorflow/lite/core/c"
: >"$work/lacking/tensorflow/lite/core/async/c/types.h"
echo "typedef struct TfLiteRegistrationExternal TfLiteRegistrationExternal;" >"$work/lacking/tensorflow/lite/core/c/registration_external.h"
runtime="$(find "${HOME}/.m2" -name 'tensorflow-lite-*-linux-x86_64.jar' | head -1)"
[ -n "$runtime" ] || { echo "flow.cpp: not compiled, the core's desktop runtime is not downloaded" >&2; exit 1; }
(cd "$work" && jar xf "$runtime" org/bytedeco/tensorflowlite/linux-x86_64)
g++ -std=c++17 -Wall -Wextra -Werror -O1 -isystem "$tools/tensorflow-lite-2.16.1/headers" -isystem "$work/lacking" -I"$snippets" "$work/main.cpp" -o "$work/flow" \
  "$work/org/bytedeco/tensorflowlite/linux-x86_64/libjnitensorflowlite.so" -Wl,-rpath,"$PWD/$work/org/bytedeco/tensorflowlite/linux-x86_64" -Wl,--unresolved-symbols=ignore-in-shared-libs
PYTHONPATH="$(cd .. && pwd)" TF_CPP_MIN_LOG_LEVEL=3 "${PYTHON:-python3}" - "$work" "$model" <<'PY'
import subprocess
import sys
from pathlib import Path

import numpy as np

from tfflow.data.scenes import Scenes
from tfflow.exporting.manifest import read_manifest
from tfflow.models.tflite import TFLiteModel

work, model = map(Path, sys.argv[1:])
manifest = read_manifest(model / "model.json")
size, image = manifest["resize"]["to"], manifest["inputs"][0]
scene = Scenes(tuple(size), seed=5, count=1).sample(0)
frames = [np.rint(255 * scene[name]).astype(np.uint8) for name in ("image1", "image2")]
(work / "frames").write_bytes(b"".join(frame.tobytes() for frame in frames))
given = [manifest["signature"], *size, image["type"], *image["range"]]
subprocess.run([work / "flow", model / manifest["file"], *map(str, given), work / "frames", work / "out"], check=True)
theirs = TFLiteModel(model / manifest["file"]).flow(*frames)
ours = np.fromfile(work / "out", np.float32).reshape(theirs.shape)
apart, moved = (np.linalg.norm(x, axis=-1) for x in (ours - theirs, theirs))
print(
    f"flow.cpp: compiled and run, flow of mean {moved.mean():.3f} px, "
    f"to Python mean {apart.mean():.1e} largest {apart.max():.1e} px"
)
if not moved.mean() > 0.1 or not apart.max() < 0.05:
    sys.exit("flow.cpp: this is not Python's flow")
PY
