#!/usr/bin/env bash
# The page's tests in headless Chromium, from a bare Debian or Ubuntu: `ci.sh install`, then `ci.sh test`; alone, both.
# PYTHON: a Python with tfflow[export], which makes what the page is held against (default: python3).
set -euo pipefail
web_demo="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

found() {
  local name
  for name in "$@"; do
    if type -P "$name" >/dev/null; then return 0; fi
  done
  return 1
}

# What the machine lacks, from Debian's packages; then what package-lock.json names.
install() {
  local missing=() sudo=""
  found npm || missing+=(nodejs npm)
  found "${CHROMIUM:-chromium}" chromium-browser google-chrome || missing+=(chromium)
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; then
    echo "web_demo needs Node 20.19 or later, this is $(node --version): Debian has it from version 13 on" >&2
    return 1
  fi
  npm --prefix "$web_demo" ci --silent
}

check() {
  npm --prefix "$web_demo" run --silent check
  npm --prefix "$web_demo" test --silent
}

case "${1:-}" in
  install) install ;;
  test) check ;;
  "")
    install
    check
    ;;
  *)
    echo "usage: ci.sh [install|test]" >&2
    exit 2
    ;;
esac
