"""What the Go SDK costs beside bare `net/http`: time, bytes and allocations per call.

    .venv/bin/python bench/sdk_go.py [--count 5] [--time 300ms]

Runs the benchmarks of `sdk/go/bench_test.go`, where each pair does the same calls over the same server with
an equal pool of connections, and tells medians and ratios. The server is in the same process, so its own
allocations are in both columns; the difference is what the SDK adds.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

SDK = Path(__file__).parents[1] / "sdk" / "go"
GO = Path(sys.executable).with_name("go")
LINE = re.compile(
    r"^Benchmark(?P<call>\w+)/(?P<by>\S+?)(?:-\d+)?\s+\d+"
    r"\s+(?P<ns>[\d.]+) ns/op\s+(?P<bytes>\d+) B/op\s+(?P<allocs>\d+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Cost:
    """Of one call."""

    ns: float
    size: float
    allocs: float


def costs(output: str) -> dict[str, dict[str, Cost]]:
    """Medians by call and by candidate, in the order of the benchmarks."""
    found: dict[str, dict[str, list[Cost]]] = defaultdict(lambda: defaultdict(list))
    for match in LINE.finditer(output):
        cost = Cost(float(match["ns"]), float(match["bytes"]), float(match["allocs"]))
        found[match["call"]][match["by"].replace("_", " ")].append(cost)
    return {
        call: {
            name: Cost(
                statistics.median(cost.ns for cost in runs),
                statistics.median(cost.size for cost in runs),
                statistics.median(cost.allocs for cost in runs),
            )
            for name, runs in by.items()
        }
        for call, by in found.items()
    }


def tell(call: str, by: dict[str, Cost]) -> None:
    """One line of a pair."""
    (bare, floor), (name, ours) = by.items()
    print(
        f"{call}: {bare} {floor.ns / 1e3:.1f} us, {floor.size:.0f} B, {floor.allocs:.0f} allocations;"
        f" {name} {ours.ns / 1e3:.1f} us, {ours.size:.0f} B, {ours.allocs:.0f} allocations;"
        f" time x {ours.ns / floor.ns:.2f}, allocations x {ours.allocs / floor.allocs:.2f}"
    )


def main() -> None:
    """Run all and print one line for each pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=5, help="runs of each benchmark; the median is told")
    parser.add_argument("--time", default="300ms", help="how long each run takes")
    options = parser.parse_args()
    command = [str(GO), "test", "-run", "^$", "-bench", ".", "-benchmem"]
    done = subprocess.run(
        [*command, "-count", str(options.count), "-benchtime", options.time],
        cwd=SDK,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the benchmarks failed:\n{done.stdout}{done.stderr}")
    for call, by in costs(done.stdout).items():
        tell(call, by)


if __name__ == "__main__":
    main()
