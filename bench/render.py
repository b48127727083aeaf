"""What the built-in renderer costs, beside the encoder in the same seconds and, if asked, the prototype.

    python bench/render.py                          everything, about 12 minutes
    python bench/render.py --quick                  720p alone and a few whole jobs, about 3 minutes
    python bench/render.py --prototype FOLDER       the prototype's scenes, too
    python bench/render.py --scenes lake --sizes 480p --frames 24

Every measurement runs in a process of its own, in the environment of the render process. CPU time is what
counts: wall time on a machine that does other work does not; and as such work inflates CPU time, too, trust
ratios to the encoder before milliseconds. Tables are printed, and written as Markdown to out/bench/render.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from render_costs import FPS, PROTOTYPES, in_own_process

from meshapi_renderer.contact_sheet import SHOWCASE
from meshapi_renderer.sizes import RESOLUTIONS

SIZES = ("480p", "720p", "1080p")
FRAME_MS = {"480p": 15.0, "720p": 30.0, "1080p": 70.0}
PEAK_MB = {"480p": 350.0, "720p": 600.0, "1080p": 1000.0}
MOST_OF_ENCODER = 2.0
WALL_SECONDS = 6.0
"""Limits: CPU per frame, memory, render over encoder at 720p, five seconds of 720p on two idle cores."""

Costs = dict[str, float]
Measure = Callable[[str, str], Costs]


@dataclass
class Report:
    """Lines of Markdown and what was found over its limit."""

    lines: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)

    def say(self, line: str = "") -> None:
        """Print a line and keep it."""
        print(line, flush=True)
        self.lines.append(line)

    def head(self, *titles: str) -> None:
        """Begin a table."""
        self.say()
        self.row(*titles)
        self.row(*("---" for _ in titles))

    def row(self, *cells: str) -> None:
        """Add a row to a table."""
        self.say("| " + " | ".join(cells) + " |")

    def held(self, what: str, value: float, limit: float, shown: str) -> str:
        """Return the cell of a value, marked and noted when it is over its limit."""
        if value <= limit:
            return shown
        self.over.append(f"{what}: {shown} (limit {limit:g})")
        return f"**{shown}**"


def frames_table(report: Report, names: Sequence[str], sizes: Sequence[str], measured: Measure) -> None:
    """CPU per frame of settings or prototypes, each beside the encoder's for the same frames."""
    titles = [f"{size}: ms, encoder, ratio" for size in sizes]
    report.head("", *titles, "bake s", "Mbit/s")
    for name in names:
        cells, bakes, rates = [], [], []
        for size in sizes:
            costs = measured(name, size)
            render, encode = costs["render"] * 1e3, costs["encode"] * 1e3
            shown = report.held(f"{name} {size} ms", render, FRAME_MS[size], f"{render:.1f}")
            most = MOST_OF_ENCODER if size == "720p" else float("inf")
            ratio = report.held(f"{name} {size} ratio", render / encode, most, f"{render / encode:.2f}")
            cells.append(f"{shown}, {encode:.1f}, {ratio}")
            bakes.append(f"{costs['bake']:.1f}")
            rates.append(f"{costs['mbit']:.1f}")
        report.row(name, *cells, " / ".join(bakes), " / ".join(rates))


def jobs_table(report: Report, jobs: Sequence[tuple[str, str, int]]) -> None:
    """Whole jobs: wall time, CPU time and peak memory."""
    report.head("whole job, two threads, sound", "wall s", "CPU s", "peak MB", "limit MB")
    for name, size, seconds in jobs:
        costs = in_own_process("job", name, size, seconds * FPS)
        limit = WALL_SECONDS if (size, seconds) == ("720p", 5) else float("inf")
        what = f"{name} {size} {seconds} s"
        wall = report.held(f"{what} wall", costs["wall"], limit, f"{costs['wall']:.1f}")
        peak = report.held(f"{what} MB", costs["peak_mb"], PEAK_MB[size], f"{costs['peak_mb']:.0f}")
        report.row(what, wall, f"{costs['cpu']:.1f}", peak, f"{PEAK_MB[size]:.0f}")


def chosen_jobs(options: argparse.Namespace, heaviest: Costs) -> Iterator[tuple[str, str, int]]:
    """Five seconds of 720p of every setting (the four heaviest when quick), then the heaviest, long."""
    by_cost = sorted(options.scenes, key=lambda name: -heaviest[name])
    for name in by_cost[:4] if options.quick else options.scenes:
        yield name, "720p", 5
    for size in ("720p",) if options.quick else options.sizes:
        for seconds in (20,) if size == "720p" else (5, 20):
            yield by_cost[0], size, seconds


def run(options: argparse.Namespace) -> Report:
    """Measure what the options ask for."""
    report, heaviest = Report(), dict.fromkeys(options.scenes, 0.0)

    def scene(name: str, size: str) -> Costs:
        costs: Costs = in_own_process("scene", name, size, options.frames)
        heaviest[name] = max(heaviest[name], costs["peak_mb"])
        return costs

    def prototype(name: str, size: str) -> Costs:
        costs: Costs = in_own_process("prototype", name, size, options.frames, options.prototype)
        return costs

    report.say(
        f"CPU per frame over {options.frames} frames: drawing, then conversion and x264 for the same frames."
    )
    frames_table(report, options.scenes, options.sizes, scene)
    if options.prototype is not None:
        own = Report()
        own.say("\nThe prototype's scenes, in the same run:")
        frames_table(own, [name for name in PROTOTYPES if name in options.scenes], options.sizes, prototype)
        report.lines += own.lines
    report.say("\nThe memory of a job does not grow with its duration:")
    jobs_table(report, list(chosen_jobs(options, heaviest)))
    report.say("\nOver its limit: " + ("; ".join(report.over) or "nothing") + ".")
    return report


def main() -> None:
    """Read the options, measure, write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="720p alone, a few frames, a few whole jobs")
    parser.add_argument("--scenes", nargs="+", choices=list(SHOWCASE), default=list(SHOWCASE))
    parser.add_argument("--sizes", nargs="+", choices=RESOLUTIONS[:3], default=None)
    parser.add_argument(
        "--frames", type=int, default=None, help="frames of each measurement; 24, or 12 when quick"
    )
    parser.add_argument(
        "--prototype", type=Path, help="folder of the prototype's scenes, to be measured, too"
    )
    parser.add_argument("--markdown", type=Path, default=Path("out/bench/render.md"))
    options = parser.parse_args()
    options.sizes = options.sizes or (["720p"] if options.quick else list(SIZES))
    options.frames = options.frames or (12 if options.quick else 24)
    if options.prototype is not None and not (options.prototype / "core.py").is_file():
        parser.error(f"--prototype: {options.prototype} holds no core.py")
    start = time.monotonic()
    report = run(options)
    print(f"({time.monotonic() - start:.0f} s)")
    options.markdown.parent.mkdir(parents=True, exist_ok=True)
    options.markdown.write_text("\n".join(report.lines).lstrip() + "\n", encoding="utf-8")
    print(f"written to {options.markdown}")


if __name__ == "__main__":
    main()
