#!/usr/bin/env bash
# The page's tests in headless Chromium, from a bare Debian or Ubuntu with Node 20 or later.
# PYTHON: a Python with tfflow[export], which makes what the page is held against (default: python3).
set -euo pipefail
web_demo="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

find_chromium() {
  local name
  for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do
    type -P "$name" && return
  done
  return 1
}

if ! find_chromium >/dev/null; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
CHROMIUM="$(find_chromium)"
export CHROMIUM

npm --prefix "$web_demo" ci --silent
npm --prefix "$web_demo" test
