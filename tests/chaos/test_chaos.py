"""The short form of the chaos run; the long one is ``python -m tests.chaos``."""

from pathlib import Path

import pytest

from .cards import EVERY
from .cluster import Plan
from .mayhem import KILLS
from .report import table
from .run import Wish, run


@pytest.mark.slow
async def test_nothing_is_lost_or_paid_twice_whatever_is_killed(database: str, tmp_path: Path) -> None:
    wish = Wish(
        database=database,
        tasks=200,
        kills=8,
        seconds=16,
        seed=20_261,
        renders=3,
        plan=Plan(database=database, lease=3.0, reconcile_within=4.0),
    )
    outcome = await run(wish, tmp_path, print)

    assert not outcome.violations, table(wish, outcome)
    assert sum(outcome.acts[kind] for kind in KILLS) == wish.kills
    assert outcome.figures["tasks accepted"] == wish.tasks
    assert outcome.figures["attempts whose worker was lost"], "no kill hit any work; the run proved nothing"


@pytest.mark.slow
async def test_no_adapter_loses_a_task_or_pays_twice_when_its_worker_is_killed(tmp_path: Path) -> None:
    wish = Wish(
        database="sqlite",
        tasks=20 * len(EVERY),
        kills=8,
        seconds=20,
        seed=20_262,
        renders=0,
        plan=Plan(database="sqlite", lease=3.0, reconcile_within=4.0, sellers=EVERY),
    )
    outcome = await run(wish, tmp_path, print)

    assert not outcome.violations, table(wish, outcome)
    assert outcome.figures["tasks accepted"] == wish.tasks
    assert outcome.figures["attempts whose worker was lost"], "no kill hit any work; the run proved nothing"
    assert outcome.served >= {seller.model for seller in EVERY}, "each of them made a video"
