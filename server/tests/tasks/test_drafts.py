"""The final of a draft takes over what the draft was asked."""

from typing import Any

import pytest
from msgspec.structs import replace

from meshapi_server.tasks.drafts import draft_item, finalise
from meshapi_server.tasks.errors import RequestInvalid
from meshapi_server.tasks.spec import ContentItem, Spec
from meshapi_server.tasks.states import Status
from meshapi_server.tasks.task import Facts, Outcome, Task

from .. import samples

ITEM = ContentItem(kind="draft_task", index=0, task_id="task_d")
TEXT = ContentItem(kind="text", index=1, text="a lake")


def final(**fields: Any) -> Spec:
    return samples.spec(content=(ITEM,), **fields)


def draft(**fields: Any) -> Task:
    asked = samples.spec(
        draft=True, duration=5, resolution="480p", seed=3, priority=9, metadata={"a": "b"}, watermark=True
    )
    values = {"id": "task_d", "spec": asked, "status": Status.SUCCEEDED, **fields}
    return samples.task(**values)


def complaint(spec: Spec, task: Task | None) -> str:
    with pytest.raises(RequestInvalid) as refused:
        finalise(spec, ITEM, task)
    assert refused.value.details[0].loc == ("body", "content", 0, "draft_task", "id")
    return refused.value.details[0].msg


def test_a_request_without_a_draft_item_is_no_final() -> None:
    assert draft_item(samples.spec()) is None


def test_a_draft_item_stands_alone() -> None:
    with pytest.raises(RequestInvalid, match="only content item"):
        draft_item(samples.spec(content=(ITEM, TEXT)))


def test_the_final_has_the_drafts_content_and_parameters_and_is_no_draft() -> None:
    made = finalise(final(), ITEM, draft())
    assert (made.content, made.duration, made.resolution, made.watermark) == (
        draft().spec.content,
        5,
        "480p",
        True,
    )
    assert made.draft is False


def test_what_the_final_states_wins_over_the_draft() -> None:
    made = finalise(final(resolution="1080p", priority=2), ITEM, draft())
    assert (made.resolution, made.priority, made.duration) == ("1080p", 2, 5)


def test_priority_metadata_and_callback_are_not_inherited() -> None:
    made = finalise(final(), ITEM, draft())
    assert (made.priority, made.metadata, made.callback_url) == (None, None, None)


def test_the_final_uses_the_seed_that_the_draft_was_rendered_with() -> None:
    outcome = Outcome(facts=Facts(seed=77))
    assert finalise(final(), ITEM, draft(outcome=outcome)).seed == 77
    assert finalise(final(seed=5), ITEM, draft(outcome=outcome)).seed == 5


@pytest.mark.parametrize(
    ("stated", "kept", "dropped"),
    [({"frames": 48}, "frames", "duration"), ({"duration": 9}, "duration", "frames")],
)
def test_a_final_with_another_length_drops_the_drafts_length(
    stated: dict[str, int], kept: str, dropped: str
) -> None:
    asked = replace(samples.spec(draft=True), **{dropped: 5})
    made = finalise(final(**stated), ITEM, draft(spec=asked))
    assert getattr(made, kept) == stated[kept]
    assert getattr(made, dropped) is None


def test_a_draft_that_is_not_there_is_named() -> None:
    assert "task_d" in complaint(final(), None)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.FAILED])
def test_a_draft_that_has_not_succeeded_is_refused(status: Status) -> None:
    assert str(status) in complaint(final(), draft(status=status))


def test_a_task_that_was_no_draft_is_refused() -> None:
    assert "not a draft" in complaint(final(), draft(spec=samples.spec()))


def test_a_draft_of_another_model_is_refused() -> None:
    assert "sandbox/slow" in complaint(final(), draft(requested_model="sandbox/slow"))
