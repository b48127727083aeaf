"""``python -m tests.chaos``: the long form, with progress and a table; exit status 1 on any violation."""

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from .cards import EVERY, USUAL
from .cluster import Plan
from .report import table
from .run import Wish, run


def _wish(arguments: list[str] | None = None) -> tuple[Wish, bool]:
    options = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--tasks", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seconds", type=float, help="how long orders come [default: tasks / 18]")
    options.add_argument("--renders", type=int, help="tasks of the built-in model [default: one in 100]")
    options.add_argument("--seed", type=int, help="repeats a run's schedule [default: a random one, printed]")
    options.add_argument("--lease", type=float, default=3.0)
    options.add_argument(
        "--every-upstream", action="store_true", help="order from every adapter that there is, in equal parts"
    )
    options.add_argument("--keep", action="store_true", help="leave the files of the run where they are")
    given = options.parse_args(arguments)
    wish = Wish(
        database=given.database,
        tasks=given.tasks,
        kills=given.kills,
        seconds=given.seconds or given.tasks / 18,
        seed=secrets.randbelow(1_000_000) if given.seed is None else given.seed,
        renders=given.tasks // 100 if given.renders is None else given.renders,
        plan=Plan(
            database=given.database, lease=given.lease, sellers=EVERY if given.every_upstream else USUAL
        ),
    )
    return wish, given.keep


def _tidy_up(*_: object) -> None:
    """Told to end, it ends as at Ctrl-C: every process that it started goes first."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGINT)


def main() -> int:
    """Run it; the exit status."""
    wish, keep = _wish()
    signal.signal(signal.SIGTERM, _tidy_up)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="meshapi-chaos-"))
    say(f"seed {wish.seed}: {wish.tasks} tasks, {wish.kills} kills, {wish.seconds:.0f} s, {wish.database}")
    outcome = asyncio.run(run(wish, folder, say))
    print(table(wish, outcome), flush=True)
    if keep or outcome.violations:
        print(f"The files of this run are in {folder}; run it again with --seed {wish.seed}")
    else:
        shutil.rmtree(folder)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
