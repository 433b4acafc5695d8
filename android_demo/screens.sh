#!/usr/bin/env bash
# The app's own activity and views on a desktop, by Robolectric: what it says and does when something is wrong, is turned or
# sent to the background, and pictures of its screens. Needs a build of build_apk.sh, whose classes it takes.
#
#   ./screens.sh DIR=GOLDEN [DIR=GOLDEN ...] FOLDER
#
# Each DIR is an output folder of export/to_tflite.py, GOLDEN what `python -m tfflow.commands.vectors --model DIR --out
# GOLDEN` wrote; the pictures go to FOLDER.
set -euo pipefail

refuse() {
  echo "screens.sh: $*" >&2
  exit 2
}

[ $# -gt 1 ] || refuse "give models and a folder for the pictures: DIR=GOLDEN [DIR=GOLDEN ...] FOLDER"
models=""
while [ $# -gt 1 ]; do
  [ -f "${1%%=*}/model.json" ] && [ -f "${1#*=}" ] || refuse "$1 is no DIR=GOLDEN of an export and its golden file"
  models="$models:$(realpath "${1%%=*}")=$(realpath "${1#*=}")"
  shift
done
folder="$(realpath -m "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./maven.sh
apk=build/apk work=build/screens
[ -d "$apk/made/classes/tfflow/demo" ] || refuse "run build_apk.sh first: its classes are what is shown"

if ! cmp -s screens/pom.xml "$work/pom.xml"; then
  rm -rf "$work"
  maven -f screens/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$work/jars"
  for aar in "$work"/jars/*.aar; do
    (cd "$work" && jar xf "jars/$(basename "$aar")" classes.jar && mv classes.jar "jars/$(basename "$aar" .aar).jar")
  done
  cp screens/pom.xml "$work/pom.xml"
fi

framework="$(echo "$apk"/tools/jars/android-all-*.jar)" # what the classes refer to before Robolectric puts its own in place
stdlib="$(echo "$apk"/tools/jars/kotlin-stdlib-*.jar)"
jars="$(find "$work/jars" -name '*.jar' ! -name 'android-all-*' | sort | tr '\n' ':')"
compiler="$(printf '%s:' "$apk"/tools/jars/{kotlin,annotations,trove4j}*.jar)"
java=(java -Xmx1500m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
rm -rf "$work/classes"
mkdir -p "$work/classes/com/android/tools"
"${java[@]}" -cp "$compiler" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -jvm-target 17 \
  -cp "$stdlib:$apk/made/classes:$jars$framework" -d "$work/classes" screens/src
# Models are put into the app's storage, so that the package holds its layout and words alone.
aapt2 link -I "$framework" --manifest "$apk/made/AndroidManifest.xml" -o "$work/resources.apk" \
  --min-sdk-version 26 --target-sdk-version 34 "$apk/made/res.zip"
cat >"$work/classes/com/android/tools/test_config.properties" <<X
android_merged_manifest=$PWD/$apk/made/AndroidManifest.xml
android_resource_apk=$PWD/$work/resources.apk
android_custom_package=tfflow.demo
X
"${java[@]}" --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED \
  -Djava.awt.headless=true -Drobolectric.offline=true -Drobolectric.dependency.dir="$PWD/$work/jars" \
  -Dtfflow.screens="$folder" -Dtfflow.models="${models#:}" \
  -cp "$work/classes:$stdlib:$apk/made/classes:$jars$framework" org.junit.runner.JUnitCore tfflow.demo.ScreensTest
