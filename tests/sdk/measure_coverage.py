"""Line coverage of both SDKs by their own suites, and whether every line that is not covered is explained.

    .venv/bin/python tests/sdk/measure_coverage.py [python] [go] [--list]

Fails when a suite fails, when less than 95 % of an SDK's lines ran, when a line that did not run is not
explained in `uncovered.toml`, or when an explanation explains nothing any more. ``--list`` prints what is
uncovered as entries to be explained.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXPLAINED = Path(__file__).with_name("uncovered.toml")
TARGET = 95.0
TESTS_AT_SERVERS = ("hosted", "lost_answer", "corners", "command", "webhooks_live")
SETTINGS = """[run]
source = meshapi
patch = subprocess
parallel = true
data_file = {data}
[report]
exclude_also =
    if TYPE_CHECKING:
    class .*\\(Protocol\\):
"""
GO_BLOCK = re.compile(
    r"^[^:]+/(?P<file>[^/:]+\.go):(?P<first>\d+)\.\d+,(?P<last>\d+)\.\d+ \d+ (?P<count>\d+)$"
)
# A line of Go that only closes or opens a block says nothing of its own.
GO_BRACES = re.compile(r"^[\s{}()]*$")


@dataclass(frozen=True)
class Gap:
    """A line that did not run."""

    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Measured:
    """One SDK's figures."""

    name: str
    lines: int
    gaps: list[Gap]

    @property
    def percent(self) -> float:
        return 100.0 * (self.lines - len(self.gaps)) / self.lines


def _run(command: list[str], cwd: Path, **more: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _gaps(file: str, missing: set[int]) -> list[Gap]:
    source = (ROOT / file).read_text("utf-8").splitlines()
    return [Gap(file, line, source[line - 1].strip()) for line in sorted(missing)]


def measure_python(folder: Path) -> Measured:
    """By coverage.py, with the commands that the tests start as processes of their own."""
    settings = folder / "coveragerc"
    settings.write_text(SETTINGS.format(data=folder / "data"))
    tool = [sys.executable, "-m", "coverage"]
    suites = [
        "sdk/python/tests",
        *(f"tests/sdk/test_{name}.py" for name in TESTS_AT_SERVERS),
    ]
    _run(
        [*tool, "run", f"--rcfile={settings}", "-m", "pytest", *suites, "-q", "-p", "no:cacheprovider"], ROOT
    )
    _run([*tool, "combine", f"--rcfile={settings}", "-q"], ROOT)
    report = folder / "report.json"
    _run([*tool, "json", f"--rcfile={settings}", "-q", "-o", str(report)], ROOT)
    told = json.loads(report.read_text())
    lines, gaps = 0, list[Gap]()
    for path, file in sorted(told["files"].items()):
        missing, ran = set(file["missing_lines"]), set(file["executed_lines"])
        lines += len(missing | ran)
        gaps += _gaps(path, missing)
    return Measured("python", lines, gaps)


def measure_go(folder: Path) -> Measured:
    """By `go test -coverprofile`; the lines of its blocks, without those that hold only braces."""
    profile = folder / "go.out"
    go = str(Path(sys.executable).with_name("go"))
    offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
    _run([go, "test", "-count=1", f"-coverprofile={profile}", "./..."], ROOT / "sdk" / "go", **offline)
    ran: dict[str, set[int]] = defaultdict(set)
    known: dict[str, set[int]] = defaultdict(set)
    for text in profile.read_text().splitlines()[1:]:
        match = GO_BLOCK.match(text)
        assert match, text
        block = set(range(int(match["first"]), int(match["last"]) + 1))
        known[match["file"]] |= block
        if int(match["count"]):
            ran[match["file"]] |= block
    lines, gaps = 0, list[Gap]()
    for name in sorted(known):
        file = f"sdk/go/{name}"
        source = (ROOT / file).read_text("utf-8").splitlines()
        executable = {line for line in known[name] if not GO_BRACES.match(source[line - 1])}
        lines += len(executable)
        gaps += _gaps(file, executable - ran[name])
    return Measured("go", lines, gaps)


@dataclass(frozen=True)
class Explanation:
    """One entry of the file: these lines of these files did not run, or ``sometimes`` do not, because."""

    files: tuple[str, ...]
    code: tuple[str, ...]
    why: str
    sometimes: bool

    def covers(self, gap: Gap) -> bool:
        return gap.file in self.files and gap.code in self.code


def explanations() -> list[Explanation]:
    """What the file says."""
    entries = tomllib.loads(EXPLAINED.read_text("utf-8")).get("lines", [])
    return [
        Explanation(tuple(each["files"]), tuple(each["code"]), each["why"], each.get("sometimes", False))
        for each in entries
    ]


def problems(measured: list[Measured], explained: list[Explanation]) -> Iterator[str]:
    """What is wrong, a line each."""
    folders = {"python": "sdk/python/", "go": "sdk/go/"}
    for each in measured:
        if each.percent < TARGET:
            yield f"{each.name}: {each.percent:.1f} % of lines ran, {TARGET:.0f} % are wanted"
        for gap in each.gaps:
            if not any(entry.covers(gap) for entry in explained):
                yield f"{gap} did not run and is not explained: {gap.code}"
        for entry in explained:
            if not entry.sometimes and entry.files[0].startswith(folders[each.name]):
                yield from _stale(entry, each.gaps)


def _stale(entry: Explanation, gaps: list[Gap]) -> Iterator[str]:
    """The files and lines of an entry that are covered now, or are there no more."""
    mine = [gap for gap in gaps if entry.covers(gap)]
    for file in {*entry.files} - {gap.file for gap in mine}:
        yield f"an explanation explains nothing any more: {file}: {' / '.join(entry.code)}"
    for code in {*entry.code} - {gap.code for gap in mine}:
        yield f"an explanation explains nothing any more: {' / '.join(entry.files)}: {code}"


def main() -> None:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sdk", nargs="*", help="python, go; default: both")
    parser.add_argument("--list", action="store_true", help="print the lines that did not run")
    options = parser.parse_args()
    wanted = options.sdk or ["python", "go"]
    measure = {"python": measure_python, "go": measure_go}
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure[name](Path(folder)) for name in wanted]
    for each in measured:
        print(f"{each.name}: {each.percent:.1f} % of {each.lines} lines ran, {len(each.gaps)} did not")
        if options.list:
            for gap in each.gaps:
                print(f"  {gap}: {gap.code}")
    wrong = list(problems(measured, explanations()))
    for problem in wrong:
        print(problem, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
