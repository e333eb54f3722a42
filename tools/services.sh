#!/usr/bin/env bash
# Install what some tests need beside Python, from Debian's packages: Chromium (the verifier's page) and PostgreSQL.
# Holdfast itself needs no service: by default its two stores are SQLite files in HOLDFAST_HOME.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "make setup-services installs Debian's packages ${missing[*]} and must be root for that" >&2
    exit 2
  fi
  apt-get update -qq
  # The tests start clusters of their own: the package's is not wanted.
  mkdir -p /etc/postgresql-common/createcluster.d
  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/holdfast-tests.conf
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
chromium --version
ls -d /usr/lib/postgresql/*
