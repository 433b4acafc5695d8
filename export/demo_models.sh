#!/usr/bin/env bash
# The networks that the page and the app show, from the pretrained weights, in one command; again after weights changed.
#
#   export/demo_models.sh OUT [options of `tfflow export`, such as --limit 4]
#
# PYTHON: of an environment with tfflow[export]. Folders are in the order in which the app lists them, the first is its own
# choice: the newest network in eight bits.
set -euo pipefail
[ $# -gt 0 ] && [ "${1#-}" = "$1" ] || { echo "usage: export/demo_models.sh OUT [options of tfflow export]" >&2; exit 2; }
out="$(realpath -m "$1")"
shift
[ ! -e "$out" ] || { echo "$out is there already: give a new folder" >&2; exit 2; }
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
part="$out.part"
rm -rf "$part"
mkdir -p "$part"
place=0
for network in pwcnet_mobile_v4 spynet_mobile_v4; do
  PYTHONPATH="$root" "${PYTHON:-python3}" "$root/export/to_tflite.py" --weights "$network" --size 256x448 --precision int8-ptq,fp32 "$@" \
    --out "$part/of_$network"
  for precision in int8-ptq fp32; do
    place=$((place + 1))
    mv "$part/of_$network/$precision" "$part/$place-$network-$precision"
    [ -f "$part/$place-$network-$precision/model.json" ] || { echo "$network $precision is beyond its limits" >&2; exit 1; }
  done
  rm -r "$part/of_$network"
done
mv "$part" "$out"
echo "page: tfflow web --model $out/1-* $out/2-*"
echo "app:  android_demo/build_apk.sh$(printf -- ' --model %s' "$out"/*)"
