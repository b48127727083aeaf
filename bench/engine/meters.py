"""What a bench reads off: CPU time and memory of processes, quantiles, and the table they are told in."""

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5)), all of its threads together."""
    return sum(_times(pid)[:2])


def cpu_seconds_with_children(pid: int) -> float:
    """The same with the process's children, also those that have ended: a PostgreSQL server, say."""
    children = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    living = [child for child in children if _parent(child) == pid]
    return sum(_times(pid)) + sum(cpu_seconds(child) for child in living)


@dataclass(frozen=True)
class Memory:
    """Of one process, in bytes: its proportional share now (PSS), resident now, and resident at its peak."""

    pss: int
    resident: int
    peak: int

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Read from smaps_rollup and status (proc(5))."""
        shares = _fields(Path(f"/proc/{pid}/smaps_rollup"))
        status = _fields(Path(f"/proc/{pid}/status"))
        return cls(pss=shares["Pss"], resident=status["VmRSS"], peak=status["VmHWM"])


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0..1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median_ratio(mine: Iterable[float], limit: Iterable[float]) -> float:
    """The median of the ratios of figures that were measured in the same rounds."""
    return statistics.median(a / b for a, b in zip(mine, limit, strict=True))


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their heads; the first column is what is measured."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    print(f"\n{title}")
    for line in lines:
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip(), flush=True)


def _times(pid: int) -> list[float]:
    """utime, stime, cutime and cstime in seconds; nothing of a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [0.0] * 4
    return [int(field) / _TICKS for field in fields[11:15]]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _fields(file: Path) -> dict[str, int]:
    """The sizes of a file of ``name: N kB`` lines, in bytes."""
    pairs = (line.split() for line in file.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in pairs if words[-1] == "kB"}
