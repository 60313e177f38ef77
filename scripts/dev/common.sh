# Sourced by the scripts of this folder. Sets `root`, moves there, and has the few words they share.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

# What scripts/dev/install-packages installs comes before whatever else a machine has under the same names.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

export CMAKE_COLOR_DIAGNOSTICS="${CMAKE_COLOR_DIAGNOSTICS:-OFF}"
# A terminal that somebody else set up must not steer a ceremony of ours.
unset SOFTHSM2_CONF

started=$SECONDS

# say TEXT prints a headline with the time since the start.
say() {
  printf '\n== %s (%d:%02d)\n' "$*" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
}

# die TEXT ends the script.
die() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# configure PRESET [ARGS...] configures build/PRESET; silent unless it fails.
configure() {
  local preset=$1 log
  shift
  mkdir -p build
  log=build/configure-$preset.log
  cmake --preset "$preset" "$@" >"$log" 2>&1 || {
    cat "$log"
    die "cmake --preset $preset failed"
  }
}

# build PRESET [TARGET...] builds targets, or all.
build() {
  local preset=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  cmake --build --preset "$preset" "${targets[@]}"
}

# tests PRESET [CTEST ARGUMENTS...] runs tests in parallel; a test that was skipped, or no test at all, is a failure.
tests() {
  local preset=$1 report failed=0
  shift
  report=$root/build/$preset/ctest.xml
  ctest --test-dir "build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error \
    --timeout 900 --output-junit "$report" "$@" </dev/null || failed=1
  if grep -Eq '<testcase [^>]*status="(notrun|disabled)"' "$report"; then
    grep -Eo '<testcase name="[^"]*"[^>]*status="(notrun|disabled)"' "$report" |
      sed -E 's/.*name="([^"]*)".*status="([a-z]*)".*/skipped: \1/'
    die "tests were skipped: what they need is missing, see scripts/dev/install-packages"
  fi
  [ "$failed" -eq 0 ] || die "tests failed"
}
