"""Measure the engine, each figure beside its limit in the same run.

python bench/engine [accepts] [claims] [polls] [news] [pages] [litellm] [--database sqlite|postgres|both]
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import accepts
import claims
import news
import pages
import polls
import uvloop
from databases import DIALECTS, places
from upstream import UPSTREAMS

_NEWS = 60  # tasks that are followed
_SUBJECTS = ("accepts", "claims", "pages", "polls", "news")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python bench/engine", description=__doc__.partition("\n")[0])
    parser.add_argument("subjects", nargs="*", default=[], help=f"of {', '.join(_SUBJECTS)}; all when none")
    parser.add_argument("--database", choices=(*DIALECTS, "both"), default="both")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="in flight for claims and pages")
    parser.add_argument("--in-flight", type=int, default=100_000, help="for polls")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    wanted = parser.parse_args()
    subjects = wanted.subjects or list(_SUBJECTS)
    if strange := [each for each in subjects if each not in _SUBJECTS]:
        parser.error(f"{strange[0]!r} is not measured here; there are {', '.join(_SUBJECTS)}")
    dialects = DIALECTS if wanted.database == "both" else (wanted.database,)
    if "accepts" in subjects:
        for dialect in dialects:
            with tempfile.TemporaryDirectory() as folder, places(Path(folder), (dialect,)) as found:
                uvloop.run(accepts.measure(found[0], Path(folder), wanted.rounds, wanted.seconds))
    if {"claims", "pages"} & set(subjects):
        for dialect in dialects:
            with tempfile.TemporaryDirectory() as folder, places(Path(folder), (dialect,)) as found:
                uvloop.run(claims.measure(found[0], wanted.tasks, wanted.rounds, wanted.seconds))
                if "pages" in subjects:
                    uvloop.run(pages.measure(found[0], wanted.tasks, 200))
    if "polls" in subjects:
        rows = []
        for dialect in dialects:
            for upstream in UPSTREAMS:
                with tempfile.TemporaryDirectory() as folder, places(Path(folder), (dialect,)) as found:
                    measured = polls.measure(found[0], Path(folder), upstream, wanted.in_flight, 10.0)
                    rows.append(uvloop.run(measured))
        polls.show(wanted.in_flight, rows)
    if "news" in subjects:
        told: list[Sequence[str]] = []
        for dialect in dialects:
            with tempfile.TemporaryDirectory() as folder, places(Path(folder), (dialect,)) as found:
                told += uvloop.run(news.measure(found[0], Path(folder), _NEWS, 0.25))
        news.show(_NEWS, told)


if __name__ == "__main__":
    main()
