#!/usr/bin/env bash
# Install PostgreSQL from Debian's packages, where it is not there already.
set -euo pipefail
if ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null; then
  exit 0
fi
apt-get update -q
# the server alone: the tests make a cluster of their own
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
