#!/bin/sh
# Install Chromium for the browser tests, with apt-get, unless it is there.
set -eu
if [ -x /usr/bin/chromium ]; then
  exit 0
fi
if ! command -v apt-get > /dev/null; then
  echo "Install Chromium as /usr/bin/chromium: there is no apt-get here to do it." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
$as_root apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install --quiet=2 --yes --no-install-recommends chromium
