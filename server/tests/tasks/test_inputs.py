"""Inline inputs: kept apart from the task, and whole again wherever they are sent."""

from hypothesis import given
from hypothesis import strategies as st

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.tasks.inputs import attach, detach, has_inline
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.states import Status
from meshapi_server.upstreams.contract import Accepted, Job, Progress

from .. import samples
from .bench import LOCAL, REMOTE, Bench
from .scripted import PICTURE, RESENDS, ScriptedLocal, ScriptedRemote, accept, lose, with_picture

URLS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "https://a.example/x.png",
            "data:,short",
            "DATA:image/png;base64," + "B" * 3_000,
            "inline:0",
            "inline:7",
        ]
    ),
    st.integers(1_000, 4_000).map(lambda length: "data:image/png;base64," + "A" * length),
)


def spec_of(urls: list[str | None]) -> Spec:
    return samples.spec(
        content=tuple(ContentItem(kind="image", index=index, url=url) for index, url in enumerate(urls))
    )


@given(st.lists(URLS, max_size=6))
def test_what_was_detached_is_whole_again_when_it_is_attached(urls: list[str | None]) -> None:
    whole = spec_of(urls)
    stored, inputs = detach(whole)
    assert attach(stored, inputs) == whole


@given(st.lists(URLS, max_size=6))
def test_nothing_long_is_left_in_the_stored_request(urls: list[str | None]) -> None:
    stored, inputs = detach(spec_of(urls))
    assert all(item.url is None or len(item.url) <= 2_048 for item in stored.content)
    assert all(url.lower().startswith("data:") for url in inputs.values())
    assert bool(inputs) <= has_inline(stored)


async def test_the_stored_task_does_not_carry_its_pictures(bench: Bench, store: SqliteStore) -> None:
    task = await bench.create(content=with_picture())
    assert PICTURE not in str(task.spec)
    assert await store.inputs(task.id) == {1: PICTURE}


async def test_a_picture_reaches_the_upstream_whole(bench: Bench) -> None:
    upstream = ScriptedRemote()
    task = await bench.create(content=with_picture())
    async with bench.working(upstream):
        await bench.ended(task)
    assert [item.url for item in upstream.submits[0].spec.content] == [None, PICTURE]


async def test_a_picture_reaches_the_renderer_whole(bench: Bench) -> None:
    upstream = ScriptedLocal()
    task = await bench.create(LOCAL, content=with_picture())
    async with bench.working(upstream):
        await bench.ended(task)
    assert upstream.begun[0].spec.content[1].url == PICTURE


async def test_a_submission_is_repeated_with_its_picture(bench: Bench) -> None:
    async def lose_once(job: Job) -> Accepted:
        return await (lose(job) if len(upstream.submits) == 1 else accept(job))

    upstream = ScriptedRemote(submit=lose_once, abilities=RESENDS)
    task = await bench.create(content=with_picture())
    async with bench.working(upstream):
        await bench.ended(task)
    first, second = upstream.submits
    assert first.spec == second.spec
    assert second.spec.content[1].url == PICTURE


async def test_a_picture_is_not_read_again_to_look_at_the_task(bench: Bench) -> None:
    looked_at: list[Job] = []

    async def poll(reference: str, job: Job) -> Progress:
        looked_at.append(job)
        return Progress(state="succeeded")

    hand = await bench.hand(ScriptedRemote(poll=poll))
    await bench.create(content=with_picture())
    await hand.submit()
    await hand.poll()
    assert [item.url for item in looked_at[0].spec.content] == [None, "inline:1"]


async def test_the_final_of_a_draft_has_the_drafts_picture_and_keeps_it_when_the_draft_is_removed(
    bench: Bench,
) -> None:
    draft = await bench.create(REMOTE, content=with_picture(), draft=True)
    upstream = ScriptedRemote()
    async with bench.working(upstream):
        assert (await bench.ended(draft)).status is Status.SUCCEEDED
    item = ContentItem(kind="draft_task", index=0, task_id=draft.id)
    final = await bench.create(REMOTE, content=(item,))
    await bench.service.delete(draft.owner, draft.id)
    async with bench.working(upstream):
        assert (await bench.ended(final)).status is Status.SUCCEEDED
    assert upstream.submits[1].spec.content[1].url == PICTURE
    assert not upstream.submits[1].spec.draft


async def test_the_pictures_of_a_removed_task_are_removed(bench: Bench) -> None:
    task = await bench.create(content=with_picture())
    await bench.service.cancel(task.owner, task.id)
    await bench.service.delete(task.owner, task.id)
    assert await bench.store.inputs(task.id) == {}
