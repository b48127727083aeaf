"""The shared database goes away and comes back: every process goes on where it was."""

import asyncio

import pytest

from .cards import model_of
from .conftest import SetUp


@pytest.mark.slow
@pytest.mark.parametrize("failure", ["restart", "crash"])
async def test_every_process_survives_the_loss_of_its_database(set_up: SetUp, failure: str) -> None:
    async with set_up(database="postgres", apis=2, workers=2) as stage:
        await stage.control(running=1.0)
        before = await stage.create(model_of("openai-videos"), 10)
        for _ in range(2):
            await asyncio.to_thread(getattr(stage.cluster.database, failure))
            await asyncio.sleep(1)  # idle as well as busy connections must notice
        after = await stage.create(model_of("openai-videos"), 10)
        ended = await stage.all_ended([*before, *after])
        fallen = [member.name for member in stage.cluster.members if member.fallen is not None]
        # leaving the block drains every process, and each must end well

    assert not fallen
    assert {task["status"] for task in ended} <= {"succeeded", "failed"}
    assert [task["status"] for task in ended[len(before) :]] == ["succeeded"] * len(after)
    assert max(stage.accepted().values()) == 1
