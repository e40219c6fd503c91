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

# Browsers: Debian's own. Without one, journeys over HTTP still run.
debian chromium chromium || true
debian chromium-headless-shell chromium-headless-shell || true
debian firefox-esr firefox-esr || true
debian certutil libnss3-tools || true

# Prometheus, Alertmanager and the blackbox exporter of today, for the tests: Debian's stable ones are years old, and range selectors
# count otherwise since Prometheus 3. They come from Debian's unstable suite with lists and a cache of their own and are only unpacked,
# so that no package of the system changes.
servers_of_today() {
  local root=$PWD/.venv/servers mirror apt
  [ -x "$root/bin/promtool" ] && [ -f "$root/usr/share/prometheus/alertmanager/default.tmpl" ] && return 0
  command -v apt-get >/dev/null || return 1
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(CREATED_BY)' |
    awk '$3 == "Packages" && $2 !~ /security|updates|backports/ {print $1; exit}')
  [ -n "$mirror" ] || return 1
  say "fetching Prometheus, Alertmanager and the blackbox exporter from Debian's unstable suite"
  apt=$(mktemp -d)
  chmod 755 "$apt"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/packages" "$root/bin"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" >"$apt/sources.list"
  local private=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives"
    -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User=)
  if apt-get "${private[@]}" update -qq && (cd "$apt/packages" &&
    apt-get "${private[@]}" download -qq prometheus promtool prometheus-alertmanager prometheus-blackbox-exporter); then
    for package in "$apt"/packages/*.deb; do
      dpkg-deb --fsys-tarfile "$package" | tar -xf - -C "$root" --wildcards './usr/bin/*' './usr/share/prometheus/*' 2>/dev/null || true
    done
    # Debian's Alertmanager reads its templates from a fixed place; a relative path of the same length finds them where they were unpacked.
    sed -i 's#/usr/share/prometheus/alertmanager#usr//share/prometheus/alertmanager#g' "$root/usr/bin/prometheus-alertmanager"
    for binary in "$root"/usr/bin/*; do ln -srf "$binary" "$root/bin/$(basename "$binary" | sed 's/^prometheus-//')"; done
  fi
  rm -rf "$apt"
  [ -x "$root/bin/promtool" ]
}

if [ "$purpose" = dev ]; then
  servers_of_today || say "could not fetch Prometheus 3; tests that need it say so and are skipped"
  debian promtool prometheus || true
  debian faketime faketime || true
  debian prometheus-blackbox-exporter prometheus-blackbox-exporter || true
  [ -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || debian postgres postgresql || true
fi
say "ready"
