#!/usr/bin/env bash
# Sets up .venv from a lock with hashes: `setup.sh run` for what Holdfast needs, `setup.sh dev` for its tests too.
# A stamp of interpreter, locks and pyproject.toml makes the second run instant.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?run or dev}
venv=.venv
# A distribution's Python is built with profiles of real programs; one compiled without --enable-optimizations takes about
# a sixth more time for everything. So where nothing is said, the first of the two that has them is taken.
swift() { "$1" -c 'import ensurepip, sys, sysconfig, venv
built = sysconfig.get_config_var("CONFIG_ARGS") or ""
sys.exit(sys.base_prefix != "/usr" and "--enable-optimizations" not in built)' 2>/dev/null; }
python=${PYTHON:-}
for candidate in python3.11 /usr/bin/python3.11; do
  if [ -z "$python" ] && swift "$candidate"; then python=$candidate; fi
done
python=${python:-python3.11}
case $kind in
  run) lock=requirements.txt ;;
  dev) lock=requirements-dev.txt ;;
  *) echo "setup.sh: run or dev, not $kind" >&2; exit 2 ;;
esac

if ! command -v "$python" >/dev/null; then
  cat >&2 <<EOF
Holdfast needs Python 3.11, and there is no $python on this machine.
  Debian 12 or Ubuntu:  sudo apt-get install python3.11 python3.11-venv
  elsewhere:            https://www.python.org/downloads/, then PYTHON=/path/to/python3 make …
EOF
  exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Holdfast needs Python 3.11 or later; $python is $("$python" -V 2>&1)." >&2
  exit 2
fi

fingerprint() { { "$python" -VV; command -v "$python"; pwd; cat "$1" pyproject.toml; } | sha256sum | cut -d' ' -f1; }
stamp=$venv/.holdfast-stamp
# What a developer needs includes what the house needs: a dev stamp satisfies `run` too.
if [ -f "$stamp" ]; then
  while read -r done_kind done_mark; do
    if [ "$done_kind" = dev ] && [ "$done_mark" = "$(fingerprint requirements-dev.txt)" ]; then exit 0; fi
    if [ "$done_kind" = "$kind" ] && [ "$done_mark" = "$(fingerprint "$lock")" ]; then exit 0; fi
  done <"$stamp"
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  cat >&2 <<EOF
$python has no venv module. On Debian 12 or Ubuntu:
  sudo apt-get install python3.11-venv
EOF
  exit 2
fi
whole_version='import sys; print(sys.version)'
if [ "$("$venv/bin/python" -c "$whole_version" 2>/dev/null)" != "$("$python" -c "$whole_version")" ]; then
  echo "Setting up $venv (once) …" >&2
  "$python" -m venv --clear "$venv"
elif ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$venv/bin/python" -m ensurepip >/dev/null
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
echo "Installing $lock (versions and hashes are pinned) …" >&2
"${pip[@]}" install --require-hashes --requirement "$lock"
"${pip[@]}" install --no-deps --no-build-isolation --editable .
echo "$kind $(fingerprint "$lock")" >"$stamp"
