#!/usr/bin/env bash
# Sets up what `make run` (argument: run) or `make test` (argument: dev) needs. Safe to run again; quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")"
purpose=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

# Debian packages by need: a command that must be there, and the package that brings it.
lists_are_fresh=no
debian() {
  local command=$1 package=$2
  command -v "$command" >/dev/null && return 0
  if ! command -v apt-get >/dev/null; then say "'$command' is missing and there is no apt-get to install '$package'"; return 1; fi
  if [ "$lists_are_fresh" = no ]; then as_root apt-get update -qq >/dev/null || true; lists_are_fresh=yes; fi
  say "installing Debian's $package"
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; then
    say "could not install '$package'; install it by hand: apt-get install $package"
    return 1
  fi
}

python=python3
command -v "$python" >/dev/null || debian python3 python3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed; this is $("$python" --version)"; exit 1; }

if [ ! -x .venv/bin/python ]; then
  say "making a virtual environment in .venv"
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    as_root apt-get update -qq >/dev/null || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null || { say "install python3-venv and try again"; exit 1; }
    "$python" -m venv .venv
  fi
fi

lock=requirements.txt
[ "$purpose" = dev ] && lock=requirements-dev.txt
say "installing Python packages from $lock"
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .

# A browser: Playwright's own where its download works, else the system's. Without one, HTTP journeys still run.
debian chromium chromium || true
debian chromium-headless-shell chromium-headless-shell || true
debian firefox-esr firefox-esr || true
debian certutil libnss3-tools || true

if [ "$purpose" = dev ]; then
  debian promtool prometheus || true
  debian faketime faketime || true
  debian prometheus-blackbox-exporter prometheus-blackbox-exporter || true
  [ -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || debian postgres postgresql || true
fi
say "ready"
