#!/usr/bin/env bash
# The Python SDK's own suite on every Python it names, where an interpreter of it exists:
#
#   tests/sdk/matrix.sh [3.11 3.12 ...]
#
# Interpreters are looked for on PATH (python3.X) and among pyenv's. Each version has an environment of its own below
# .venv/matrix, made once and again when what it is made from changes. A version without an interpreter is told, not
# passed over in silence; the status is 1 when a suite failed or when no interpreter was found at all.
set -euo pipefail
cd "$(dirname "$0")/../.."
VERSIONS=("$@")
[ ${#VERSIONS[@]} -gt 0 ] || VERSIONS=(3.11 3.12 3.13 3.14)
PLACE=.venv/matrix
MADE_FROM=(requirements/lock.txt tests/sdk/matrix.txt sdk/python/pyproject.toml)

interpreter() { # the newest interpreter of a version, or nothing
	local found
	found=$(ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python 2>/dev/null | sort -V | tail -n 1 || true)
	[ -n "$found" ] || found=$(command -v "python$1" || true)
	[ -z "$found" ] || ! "$found" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" || echo "$found"
}

environment() { # make the environment of a version, unless it is there already
	local version=$1 python=$2 stamp=$PLACE/$1/made-from wanted
	wanted=$("$python" --version; sha256sum "${MADE_FROM[@]}")
	[ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || return 0
	rm -rf "${PLACE:?}/$version"
	"$python" -m venv "$PLACE/$version"
	"$PLACE/$version/bin/python" -m pip --disable-pip-version-check install --quiet \
		--constraint requirements/lock.txt --requirement tests/sdk/matrix.txt --editable 'sdk/python[cli,aiohttp]'
	echo "$wanted" >"$stamp"
}

ran=0 failed=0
for version in "${VERSIONS[@]}"; do
	python=$(interpreter "$version")
	if [ -z "$python" ]; then
		echo "Python $version: no interpreter here"
		continue
	fi
	environment "$version" "$python"
	echo "Python $version: $("$python" --version)"
	ran=$((ran + 1))
	"$PLACE/$version/bin/python" -m pytest sdk/python/tests -q -p no:cacheprovider || failed=$((failed + 1))
done
echo "$ran versions ran, $failed failed"
[ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
