"""Inline inputs whose time is over: a draft can no longer be made final, and nothing is paid for it."""

import pytest

from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_files import StoredFiles
from meshapi_server.tasks.errors import RequestInvalid
from meshapi_server.tasks.spec import ContentItem
from meshapi_server.tasks.states import Status

from .bench import REMOTE, Bench
from .scripted import ScriptedRemote
from .test_inputs import with_picture


async def test_the_final_of_a_draft_whose_picture_is_gone_is_refused_by_its_name(
    bench: Bench, store: SqliteStore
) -> None:
    draft = await bench.create(REMOTE, content=with_picture(), draft=True)
    upstream = ScriptedRemote()
    async with bench.working(upstream):
        assert (await bench.ended(draft)).status is Status.SUCCEEDED
    assert await StoredFiles(store).forget_inputs(2**42, 10) == 1
    item = ContentItem(kind="draft_task", index=0, task_id=draft.id)
    with pytest.raises(RequestInvalid) as refused:
        await bench.create(REMOTE, content=(item,))
    (detail,) = refused.value.details
    assert detail.loc == ("body", "content", 0, "draft_task", "id")
    assert f"inputs of draft {draft.id} are no longer kept" in detail.msg
    assert len(upstream.submits) == 1
