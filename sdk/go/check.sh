#!/bin/sh
# Format, vet and test this module; nothing is fetched. GO names the go command (1.23 or later, default: go), and further
# arguments go to `go test`. Without a C compiler the race detector is left out, and that is said.
set -eu
GO=$(command -v "${GO:-go}") || { echo "check.sh: no go command; see toolchain.txt" >&2; exit 1; }
case $GO in /*) ;; *) GO=$PWD/$GO ;; esac
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod

unformatted=$("$("$GO" env GOROOT)/bin/gofmt" -l .)
if [ -n "$unformatted" ]; then
	echo "gofmt would change:" $unformatted >&2
	exit 1
fi
"$GO" vet ./...
race=-race
if [ "$("$GO" env CGO_ENABLED)" != 1 ]; then
	echo "check.sh: no C compiler, so no race detector" >&2
	race=
fi
# -count=1: the cache of test results does not see the files of ../../contract.
exec "$GO" test -count=1 $race "$@" ./...
