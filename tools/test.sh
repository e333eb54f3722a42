#!/usr/bin/env bash
# All tests on SQLite and, beside them, those that are named on PostgreSQL: either half waits for disks and servers a
# good part of its time. With WORKERS=1 one half follows the other. What the second one says is shown after the first.
# Who has nothing left to do takes tests from the others; the first half, which is the longer one, has one process more.
set -uo pipefail

half() { "$PYTHON" -m pytest -q --dist worksteal -n "$@"; }
second() { HOLDFAST_STORAGE=postgresql half "$WORKERS" -p no:cacheprovider "$@"; }

if [ "$WORKERS" = 1 ]; then
  status=0
  half 1 || status=$?
  echo "── the same on PostgreSQL"
  second "$@" || status=$?
  exit "$status"
fi

said=$(mktemp)
second "$@" >"$said" 2>&1 &
beside=$!
trap 'rm -f "$said"' EXIT
trap 'kill "$beside" 2>/dev/null; exit 130' INT TERM
status=0
[ "$WORKERS" = auto ] && WORKERS=$(nproc || echo 2)
half "$((WORKERS + 1))" || status=$?
echo "── the same on PostgreSQL"
tail -n +1 -f --pid="$beside" "$said"
wait "$beside" || status=$?
exit "$status"
