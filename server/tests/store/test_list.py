"""Pages of tasks: order, filters, cursors, totals, owners."""

import pytest

from meshapi_server.store.planned import PlannedStore
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.ports import Page, Query
from meshapi_server.tasks.states import Event, Status
from meshapi_server.tasks.task import Task

from .. import samples
from ..samples import NOW, OWNER
from .conftest import Accept


def names(page: Page) -> list[str]:
    return [task.id for task in page.tasks]


async def several(accept: Accept, count: int) -> list[Task]:
    return [await accept() for _ in range(count)]


async def test_an_owner_without_tasks_has_an_empty_page(store: PlannedStore) -> None:
    assert await store.page(OWNER, Query()) == Page(tasks=(), total=0, has_more=False)


async def test_the_newest_come_first_even_within_one_millisecond(store: PlannedStore, accept: Accept) -> None:
    tasks = await several(accept, 5)
    assert names(await store.page(OWNER, Query())) == [task.id for task in reversed(tasks)]


async def test_offsets_cut_the_list_into_pages_without_gap_or_overlap(
    store: PlannedStore, accept: Accept
) -> None:
    tasks = await several(accept, 5)
    pages = [await store.page(OWNER, Query(limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert [name for page in pages for name in names(page)] == [task.id for task in reversed(tasks)]
    assert [page.has_more for page in pages] == [True, True, False, False]
    assert {page.total for page in pages} == {5}


async def test_a_full_last_page_has_no_more(store: PlannedStore, accept: Accept) -> None:
    await several(accept, 4)
    assert not (await store.page(OWNER, Query(limit=2, offset=2))).has_more


async def test_a_cursor_walks_the_whole_list_while_new_tasks_arrive(
    store: PlannedStore, accept: Accept
) -> None:
    tasks = await several(accept, 7)
    seen: list[str] = []
    after = None
    while True:
        page = await store.page(OWNER, Query(limit=3, after=after))
        seen += names(page)
        await accept()
        if not page.has_more:
            break
        after = seen[-1]
    assert seen == [task.id for task in reversed(tasks)]


async def test_a_cursor_goes_together_with_filters_and_does_not_change_the_total(
    store: PlannedStore, accept: Accept
) -> None:
    tasks = [await accept(model="m/a" if number % 2 else "m/b") for number in range(8)]
    wanted = [task.id for task in reversed(tasks) if task.model == "m/a"]
    # The cursor itself need not pass the filter: it is a place in the list.
    page = await store.page(OWNER, Query(models=("m/a",), after=tasks[4].id, limit=1))
    assert names(page) == [wanted[2]]
    assert (page.total, page.has_more) == (4, True)


async def test_status_and_model_take_several_values(store: PlannedStore, accept: Accept) -> None:
    rows = [
        (Status.PENDING, "m/a"),
        (Status.RUNNING, "m/b"),
        (Status.FAILED, "m/c"),
        (Status.SUCCEEDED, "m/a"),
    ]
    tasks = [await accept(status=status, model=model, requested_model=model) for status, model in rows]

    async def found(query: Query) -> set[int]:
        page = await store.page(OWNER, query)
        assert page.total == len(page.tasks)
        return {index for index, task in enumerate(tasks) if task.id in names(page)}

    assert await found(Query(statuses=("pending",))) == {0}
    assert await found(Query(statuses=("pending", "failed"))) == {0, 2}
    assert await found(Query(models=("m/a", "m/b"))) == {0, 1, 3}
    assert await found(Query(models=("m/a",), statuses=("succeeded", "running"))) == {3}
    assert await found(Query(models=("m/none",))) == set()


async def test_a_simulated_task_is_found_by_either_of_its_models(store: PlannedStore, accept: Accept) -> None:
    task = await accept(requested_model="far/away", model="mesh/diorama-1")
    for model in ("far/away", "mesh/diorama-1"):
        assert names(await store.page(OWNER, Query(models=(model,)))) == [task.id]


async def test_expired_and_cancelled_select_failed_tasks_with_that_code_only(
    store: PlannedStore, accept: Accept
) -> None:
    cancelled, expired, failed, pending = await several(accept, 4)
    await store.cancel(OWNER, cancelled.id, NOW)
    await store.step(expired.id, Step(event=Event.EXPIRED), NOW)
    await store.step(failed.id, Step(event=Event.FAILED), NOW)

    async def found(errors: tuple[str, ...] = (), statuses: tuple[str, ...] = ()) -> set[str]:
        return set(names(await store.page(OWNER, Query(errors=errors, statuses=statuses))))

    assert await found(errors=("cancelled",)) == {cancelled.id}
    assert await found(errors=("expired", "cancelled")) == {cancelled.id, expired.id}
    assert await found(errors=("expired",), statuses=("pending",)) == {expired.id, pending.id}
    assert await found(statuses=("failed",)) == {cancelled.id, expired.id, failed.id}


async def test_the_lower_time_is_included_and_the_upper_one_is_not(
    store: PlannedStore, accept: Accept
) -> None:
    tasks = [await accept(created_at=NOW + step) for step in (0, 1, 2, 3)]
    page = await store.page(OWNER, Query(created_after=NOW + 1, created_before=NOW + 3))
    assert names(page) == [tasks[2].id, tasks[1].id]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project", "lake"),
        ("shot & take", "7=a"),
        ('a"b\\c', 'd"e\\f'),
        ("ключ", "значение \U0001f30a"),
        ("line\nbreak\ttab", "\x01"),
        ("$.path[0]", "1"),
        ("it's", "; drop table task --"),
        ("k" * 64, "v" * 512),
    ],
)
async def test_metadata_selects_the_tasks_that_carry_exactly_that_pair(
    store: PlannedStore, accept: Accept, key: str, value: str
) -> None:
    wanted = await accept(spec=samples.spec(metadata={"other": "x", key: value}))
    await accept(spec=samples.spec(metadata={key: value + "?"}))
    await accept(spec=samples.spec(metadata={key + "?": value}))
    await accept()
    assert names(await store.page(OWNER, Query(metadata=((key, value),)))) == [wanted.id]


async def test_every_metadata_pair_must_hold(store: PlannedStore, accept: Accept) -> None:
    both = await accept(spec=samples.spec(metadata={"a": "1", "b": "2"}))
    await accept(spec=samples.spec(metadata={"a": "1"}))
    assert names(await store.page(OWNER, Query(metadata=(("a", "1"), ("b", "2"))))) == [both.id]
    assert names(await store.page(OWNER, Query(metadata=(("a", "1"), ("a", "2"))))) == []


async def test_two_owners_never_see_each_others_tasks(store: PlannedStore, accept: Accept) -> None:
    mine, theirs = await accept(), await accept(owner="own_2", request_id="req_theirs")
    assert names(await store.page(OWNER, Query())) == [mine.id]
    assert names(await store.page("own_2", Query())) == [theirs.id]
    assert await store.get(OWNER, theirs.id) is None
    assert await store.get_by_request(OWNER, "req_theirs") is None
    filters = Query(statuses=("pending",), errors=("cancelled",), after=theirs.id)
    assert names(await store.page(OWNER, filters)) == [mine.id]
    assert await store.step(theirs.id, Step(event=Event.CANCELLED), NOW, owner=OWNER) is None
    assert await store.get("own_2", theirs.id) == theirs


async def test_a_page_is_one_moment_of_the_database(store: PlannedStore, accept: Accept) -> None:
    tasks = await several(accept, 3)
    page = await store.page(OWNER, Query(limit=1, offset=10**15))
    assert (page.tasks, page.total, page.has_more) == ((), len(tasks), False)
