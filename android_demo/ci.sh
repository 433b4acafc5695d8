#!/usr/bin/env bash
# The app's stage of CI, in two halves: `ci.sh prepare` downloads what the build needs and compiles the core and its tests;
# `ci.sh check` exports two networks, tests the core with them on the JVM against Python, builds and verifies an APK that
# holds both, and compiles the snippets of the documentation. Without a word it does one after the other. PYTHON: of an
# environment with tfflow[export].
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root="$(cd .. && pwd)"
. ./maven.sh
step() { printf '\n=== android: %s (%s s)\n' "$1" "$SECONDS"; }

# Debian's names of what the build needs; what is there is left alone.
packages() {
  local pair missing=() sudo="" attempt
  for pair in javac:openjdk-17-jdk-headless mvn:maven aapt2:aapt zipalign:zipalign apksigner:apksigner dexdump:dexdump; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  step "install ${missing[*]}"
  [ "$(id -u)" = 0 ] || sudo=sudo
  for attempt in 1 2 3; do
    if $sudo apt-get -o DPkg::Lock::Timeout=300 update -qq &&
      $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
      return
    fi
    [ "$attempt" = 3 ] || sleep $((10 * attempt))
  done
  echo "android_demo/ci.sh: apt-get did not install ${missing[*]} in 3 attempts" >&2
  return 1
}

prepare() {
  packages
  step "downloads"
  ./build_apk.sh --fetch
  step "the core and its tests are compiled"
  rm -rf build/core
  maven -f core/pom.xml test -DskipTests
}

check() {
  local python work="$PWD/build/ci"
  python="$(cd "$root" && realpath -s "${PYTHON:-build/ci/main/bin/python}")"
  rm -rf "$work"
  mkdir -p "$work"

  step "export"
  # The small network of the tests, of random weights: what it sees is no matter, that both sides compute the same is. Two
  # sizes, types and grids, in one process, since starting one takes as long as an export.
  (cd "$root" && TF_CPP_MIN_LOG_LEVEL=3 PYTHONPATH="$root" "$python" - "$work" >"$work/export.log" 2>&1) <<'PY' || {
import runpy
import sys
from pathlib import Path

import tests.exporting.conftest  # noqa: F401 (which registers small_pwc)
from tfflow.commands import vectors

export = runpy.run_path("export/to_tflite.py")["main"]
work = Path(sys.argv[1])
common = ["--model", "small_pwc", "--precision", "fp16", "--limit", "1"]
for name, more in (("plain", ["--size", "64x96"]), ("camera", ["--size", "96x48", "--uint8", "--quarter", "--both"])):
    if export([*common, *more, "--out", str(work / name)]):
        sys.exit(f"the export of {name} failed")
    if vectors.main(["--model", str(work / name), "--out", str(work / f"{name}.golden.json")]):
        sys.exit(f"the flow of {name} failed")
PY
    cat "$work/export.log"
    return 1
  }

  step "tests on the JVM"
  mvn -o -B -Dstyle.color=never -f core/pom.xml surefire:test ${MAVEN_ARGUMENTS:-} -Dtfflow.screens="$work/screens" \
    -Dtfflow.models="$work/plain=$work/plain.golden.json:$work/camera=$work/camera.golden.json"

  step "APK"
  ./build_apk.sh --model "$work/plain" --model "$work/camera" --out "$work/tfflow.apk"
  step "snippets of the documentation"
  PYTHON="$python" ./snippets.sh "$work/plain"
  step "done"
}

case "${1:-both}" in
  prepare) prepare ;;
  check) check ;;
  both)
    prepare
    check
    ;;
  *)
    echo "android_demo/ci.sh: unknown half \"$1\": known are prepare and check" >&2
    exit 2
    ;;
esac
