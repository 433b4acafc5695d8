# To be sourced: `maven`, which is Maven with patience, since networks fail for moments. MAVEN_ARGUMENTS: more for each call.
export MAVEN_OPTS="${MAVEN_OPTS:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"

# Quiet unless it fails; three attempts where the network is what failed, none again where it is the source.
maven() {
  local attempt log
  log="$(mktemp)"
  for attempt in 1 2 3; do
    # -U: what an attempt before did not get is asked for again.
    # shellcheck disable=SC2086
    if mvn -B -q -U -Dstyle.color=never ${MAVEN_ARGUMENTS:-} "$@" >"$log" 2>&1; then
      rm "$log"
      return
    fi
    if ! grep -qiE 'could not (transfer|find) artifact|not found in .* during a previous attempt' "$log"; then
      cat "$log" >&2
      rm "$log"
      return 1
    fi
    [ "$attempt" = 3 ] || sleep $((10 * attempt))
  done
  echo "Maven Central was out of reach, 3 attempts: $(grep -m 1 -iE 'could not (transfer|find)|not found in' "$log" | sed 's/.*\[ERROR\] //')" >&2
  rm "$log"
  return 1
}

# The core's classes, compiled if a source is newer: the ones that its tests ran on are the ones that go into the APK.
core_classes() {
  local made=build/core/classes/META-INF/core.kotlin_module
  [ -f "$made" ] && [ -z "$(find core/src/main core/pom.xml -newer "$made" -print -quit)" ] && return
  rm -rf build/core/classes
  maven -f core/pom.xml compile
}
