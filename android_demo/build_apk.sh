#!/usr/bin/env bash
# An installable APK without Android Studio, without an SDK and without Google's repository: Kotlin's compiler, a framework
# jar, TensorFlow Lite and dx from Maven Central; aapt2, zipalign, apksigner and dexdump from Debian.
#
#   ./build_apk.sh --model ../out [--model ../other ...] [--out app.apk]
#
# Each --model is an output folder of export/to_tflite.py: model.json and the .tflite that it describes. With --fetch alone
# it only downloads what the build takes from Maven Central.
set -euo pipefail

refuse() {
  echo "build_apk.sh: $*" >&2
  exit 2
}

models=() out="" fetch=no
[ "$*" != --fetch ] || { fetch=yes && shift; }
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || refuse "$1 needs a value: --model DIR [--model DIR ...] [--out FILE]"
  case "$1" in
    --model) models+=("$(realpath -m "$2")") ;;
    --out) out="$(realpath -m "$2")" ;;
    *) refuse "unknown option $1: known are --model DIR and --out FILE, or --fetch alone" ;;
  esac
  shift 2
done
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./maven.sh
out="${out:-$PWD/build/apk/tfflow.apk}"

[ ${#models[@]} -gt 0 ] || [ $fetch = yes ] || refuse "give a model: --model DIR, an output folder of export/to_tflite.py"
for tool in java javac jar keytool mvn aapt2 zipalign apksigner dexdump sha256sum; do
  command -v "$tool" >/dev/null || refuse "$tool is missing: apt-get install openjdk-17-jdk-headless maven aapt zipalign apksigner dexdump"
done

field() { sed -n "s/^ *\"$2\": \"\(.*\)\",\{0,1\}$/\1/p" "$1/model.json" | head -1; }

for model in "${models[@]}"; do
  [ -f "$model/model.json" ] || refuse "$model holds no model.json: give an output folder of export/to_tflite.py"
  file="$model/$(field "$model" file)"
  [ -f "$file" ] || refuse "$file, which model.json names, is missing: export again"
  [ "$(sha256sum <"$file" | cut -d' ' -f1)" = "$(field "$model" sha256)" ] ||
    refuse "$file is not the file that its model.json describes (SHA-256): export again"
done
[ "$(printf '%s\n' "${models[@]##*/}" | sort | uniq -d)" = "" ] || refuse "two models have the same folder name: rename one"

work=build/apk
tools="$work/tools"
step() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }

step "tools of Maven Central"
if ! cmp -s apk/pom.xml "$tools/pom.xml"; then
  rm -rf "$tools"
  maven -f apk/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$tools/jars"
  for aar in "$tools"/jars/tensorflow-lite*.aar; do
    mkdir -p "$tools/$(basename "$aar" .aar)"
    (cd "$tools/$(basename "$aar" .aar)" && jar xf "../jars/$(basename "$aar")")
  done
  # Of Kotlin's library what a class loader of Java 8 sees, for dx refuses module-info, without what needs invokedynamic.
  mkdir "$tools/stdlib"
  (cd "$tools/stdlib" && jar xf ../jars/kotlin-stdlib-*.jar kotlin)
  rm -r "$tools/stdlib/kotlin/"{streams,uuid}
  find "$tools/stdlib" -type f ! -name '*.class' -delete
  cp apk/pom.xml "$tools/pom.xml"
fi
[ "$fetch" = no ] || exit 0
framework="$(echo "$tools"/jars/android-all-*.jar)"
stdlib="$(echo "$tools"/jars/kotlin-stdlib-*.jar)"
runtime="$tools/tensorflow-lite-2.16.1/classes.jar"
runtime_api="$tools/tensorflow-lite-api-2.16.1/classes.jar"
minimum=26 target=34 # as in app/build.gradle.kts

step "resources"
rm -rf "$work/made"
mkdir -p "$work/made/gen" "$work/made/classes" "$work/made/apk/lib" "$(dirname "$out")"
for model in "${models[@]}"; do
  place="$work/made/assets/models/${model##*/}"
  mkdir -p "$place"
  cp "$model/model.json" "$model/$(field "$model" file)" "$place"
done
# Gradle names the package in app/build.gradle.kts; the GPU's driver is of no use here, and this aapt2 does not know its element.
sed -e 's/<manifest /<manifest package="tfflow.demo" /' -e /uses-native-library/d app/src/main/AndroidManifest.xml >"$work/made/AndroidManifest.xml"
aapt2 compile --dir app/src/main/res -o "$work/made/res.zip"
aapt2 link -I "$framework" --manifest "$work/made/AndroidManifest.xml" --java "$work/made/gen" -o "$work/made/base.apk" \
  --min-sdk-version "$minimum" --target-sdk-version "$target" --version-code 1 --version-name 1.0 \
  -A "$work/made/assets" -0 .tflite "$work/made/res.zip"

step "the core's Kotlin"
core_classes

step "the app's Kotlin"
compiler="$(printf '%s:' "$tools"/jars/{kotlin,annotations,trove4j}*.jar)"
# dx knows no invokedynamic, which the options for lambdas and strings avoid, here and in core/pom.xml.
java -Xmx1500m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$compiler" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler \
  -no-stdlib -no-reflect -jvm-target 1.8 -Xjdk-release=1.8 -Xlambdas=class -Xsam-conversions=class \
  -Xstring-concat=inline -cp "$stdlib:$framework:$runtime:$runtime_api:build/core/classes" -d "$work/made/classes" \
  app/src/main/kotlin "$work/made/gen"
javac -nowarn -Xlint:-options --release 8 -d "$work/made/classes" $(find "$work/made/gen" -name '*.java')
cp -r build/core/classes/tfflow "$work/made/classes/"
rm -rf "$work/made/classes/META-INF"

step "dex"
java -Xmx1500m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$(echo "$tools"/jars/dalvik-dx-*.jar)" com.android.dx.command.Main --dex \
  --min-sdk-version="$minimum" --output="$work/made/apk/classes.dex" \
  "$work/made/classes" "$tools/stdlib" "$runtime" "$runtime_api"

step "package"
for abi in arm64-v8a x86_64; do
  mkdir "$work/made/apk/lib/$abi"
  cp "$tools/tensorflow-lite-2.16.1/jni/$abi/libtensorflowlite_jni.so" "$work/made/apk/lib/$abi"
done
jar uMf "$work/made/base.apk" -C "$work/made/apk" classes.dex
jar uMf0 "$work/made/base.apk" -C "$work/made/apk" lib
zipalign -p -f 4 "$work/made/base.apk" "$work/made/aligned.apk"
key="$work/debug.keystore" # of this folder: another computer's build replaces this one's only after it is uninstalled
[ -f "$key" ] || keytool -genkeypair -keystore "$key" -storepass android -keypass android -alias debug -keyalg RSA \
  -keysize 2048 -validity 10000 -dname CN=debug >/dev/null 2>&1
apksigner sign --ks "$key" --ks-pass pass:android --min-sdk-version "$minimum" --out "$work/made/signed.apk" "$work/made/aligned.apk"

step "verify"
fail() {
  echo "build_apk.sh: $*" >&2
  exit 1
}
apksigner verify --verbose --min-sdk-version "$minimum" "$work/made/signed.apk" | head -4
zipalign -c -p 4 "$work/made/signed.apk" || fail "the APK is not aligned"
aapt2 dump badging "$work/made/signed.apk" | grep -E "^(package|sdkVersion|targetSdkVersion|uses-permission|launchable-activity|native-code)"
mkdir "$work/made/check"
(cd "$work/made/check" && jar xf ../signed.apk)
dexdump -d "$work/made/check/classes.dex" >"$work/made/dex.txt"
echo "classes.dex: $(grep -c 'Class descriptor' "$work/made/dex.txt") classes"
for name in demo/MainActivity demo/FlowView demo/TfLiteRuntime core/FlowEstimator; do
  grep -q "Class descriptor  : 'Ltfflow/$name;'" "$work/made/dex.txt" || fail "tfflow/$name is not in the dex"
done
# Android has no LambdaMetafactory. Kotlin's library asks for it in these functions alone, and nobody calls them.
awk '/Class descriptor/ { class = $4 }
  /invoke-custom/ && class !~ /ComparisonsKt__ComparisonsKt;/ { print class; bad = 1 }
  /ComparisonsKt;\.(compareBy|then|thenDescending|nullsFirst|nullsLast):/ && class !~ /kotlin\/comparisons/ { print class; bad = 1 }
  END { exit bad }' "$work/made/dex.txt" || fail "the dex makes lambdas at run time, which no phone can"
for model in "${models[@]}"; do
  inside="$work/made/check/assets/models/${model##*/}"
  for file in model.json "$(field "$model" file)"; do
    cmp -s "$inside/$file" "$model/$file" || fail "$file of ${model##*/} in the APK is not the exported one"
  done
  sha256="$(sha256sum <"$inside/$(field "$model" file)" | cut -d' ' -f1)"
  [ "$sha256" = "$(field "$model" sha256)" ] || fail "the model in the APK is not that of its manifest"
  echo "assets/models/${model##*/}: $(field "$inside" network) $(field "$inside" precision), as exported, SHA-256 $sha256"
done
mv "$work/made/signed.apk" "$out"
echo "wrote $out, $(stat -c %s "$out") bytes: adb install -r $out"
