#!/usr/bin/env bash
# Install what stands in for clouds in the tests of destinations, each apart in .emulators: what they
# pin contradicts what dlt pins. The versions are in scripts/emulators.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$PWD/.venv/bin/uv
for pins in scripts/emulators/*.txt; do
  folder=.emulators/$(basename "$pins" .txt)
  if cmp -s "$pins" "$folder/installed.txt"; then
    continue
  fi
  rm -rf "$folder"
  "$uv" venv --quiet --python .venv/bin/python "$folder"
  # one of them declares a newer DuckDB than it can have its extension for
  "$uv" pip install --quiet --no-deps --python "$folder/bin/python" --requirement "$pins"
  cp "$pins" "$folder/installed.txt"
done
if [ ! -x .emulators/azurite/node_modules/.bin/azurite-blob ]; then
  mkdir -p .emulators/azurite
  npm install --prefix .emulators/azurite --no-audit --no-fund --silent azurite@3.35.0
fi
