#!/usr/bin/env bash
# The app's stage of CI: two networks are exported, the core is tested with them on the JVM against Python, and an APK that
# holds both is built and verified. PYTHON: of an environment with tfflow[export].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="$(realpath -s "${PYTHON:-build/ci/main/bin/python}")"
export TF_CPP_MIN_LOG_LEVEL=3 MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
step() { printf '\n=== android: %s (%s s)\n' "$1" "$SECONDS"; }

# Debian's names of what the build needs; what is there is left alone.
missing=()
for pair in javac:openjdk-17-jdk-headless mvn:maven aapt2:aapt zipalign:zipalign apksigner:apksigner dexdump:dexdump; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  step "install ${missing[*]}"
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

step "export"
work="$PWD/android_demo/build/ci"
rm -rf "$work"
mkdir -p "$work"
# The small network of the tests, of random weights: what it sees is no matter, that both sides compute the same is. Two
# sizes, types and grids, in one process, since starting one takes as long as an export.
PYTHONPATH="$PWD" "$python" - "$work" <<'PY'
import runpy
import sys
from pathlib import Path

import tests.export.conftest  # noqa: F401 (which registers small_pwc)
from tfflow.export import vectors

export = runpy.run_path("export/to_tflite.py")["main"]
work = Path(sys.argv[1])
common = ["--model", "small_pwc", "--precision", "fp16", "--limit", "1"]
for name, more in (("plain", ["--size", "64x96"]), ("camera", ["--size", "96x48", "--uint8", "--quarter", "--both"])):
    if export([*common, *more, "--out", str(work / name)]):
        sys.exit(f"the export of {name} failed")
    if vectors.main(["--model", str(work / name), "--out", str(work / f"{name}.golden.json")]):
        sys.exit(f"the flow of {name} failed")
PY

step "tests on the JVM"
mvn -q -B -f android_demo/core/pom.xml test \
  -Dtfflow.models="$work/plain=$work/plain.golden.json:$work/camera=$work/camera.golden.json"

step "APK"
android_demo/build_apk.sh --model "$work/plain" --model "$work/camera" --out "$work/tfflow.apk"
step "done"
