"""Who hears of a change."""

import asyncio

from meshapi_server.tasks.changes import Changes

from .. import samples


async def test_everyone_who_waits_for_the_task_gets_the_snapshot_and_nobody_else() -> None:
    changes, one, other = Changes(), samples.task(), samples.task()
    with (
        changes.subscribe(one.id) as first,
        changes.subscribe(one.id) as second,
        changes.subscribe(other.id) as stranger,
    ):
        changes.publish(one)
        assert (first.get_nowait(), second.get_nowait()) == (one, one)
        assert stranger.empty()


async def test_nothing_is_kept_for_those_who_left() -> None:
    changes, task = Changes(), samples.task()
    with changes.subscribe(task.id) as queue:
        pass
    changes.publish(task)
    assert queue.empty()


async def test_a_bell_rung_before_the_wait_is_heard_once() -> None:
    changes = Changes()
    changes.ring()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await changes.wait(5)
    assert loop.time() - begun < 1
    await changes.wait(0.01)


async def test_a_wait_without_a_bell_ends_by_itself() -> None:
    await asyncio.wait_for(Changes().wait(0.01), 5)
