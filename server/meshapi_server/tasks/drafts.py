"""The final of a draft: a ``draft_task`` item stands for all its draft was asked (wire.md section 3)."""

from msgspec.structs import asdict, replace

from .errors import Detail, RequestInvalid
from .spec import ContentItem, Spec
from .states import Status
from .task import Task


def draft_item(spec: Spec) -> ContentItem | None:
    """The ``draft_task`` item, if there is one. Raises RequestInvalid when it does not stand alone."""
    items = [item for item in spec.content if item.kind == "draft_task"]
    if not items:
        return None
    if len(spec.content) > 1:
        raise RequestInvalid(
            (_detail(items[0], "a draft_task item must be the only content item; its draft holds the rest"),)
        )
    return items[0]


def finalise(spec: Spec, item: ContentItem, draft: Task | None) -> Spec:
    """The request for the final: the draft's own, overridden by what this request states."""
    if draft is None:
        raise RequestInvalid((_detail(item, f"no task {item.task_id!r} was found"),))
    if draft.status is not Status.SUCCEEDED or not draft.spec.draft:
        raise RequestInvalid(
            (_detail(item, f"task {draft.id} is not a draft that succeeded (it is {draft.status})"),)
        )
    if draft.requested_model != spec.model:
        raise RequestInvalid((_detail(item, f"the draft was made by model {draft.requested_model!r}"),))
    stated = {name: value for name, value in asdict(spec).items() if value is not None and name != "content"}
    final = replace(draft.spec, draft=False, priority=None, metadata=None, callback_url=None)
    if draft.outcome.facts.seed is not None:
        final = replace(final, seed=draft.outcome.facts.seed)
    if spec.duration is not None or spec.frames is not None:
        final = replace(
            final, duration=None, frames=None
        )  # two spellings of one length: the stated one counts
    return replace(final, **stated)


def inputs_gone(item: ContentItem, draft: Task) -> Detail:
    """What is wrong with a draft whose inline inputs were kept for a time that is over."""
    return _detail(item, f"the inputs of draft {draft.id} are no longer kept; send the whole request instead")


def _detail(item: ContentItem, message: str) -> Detail:
    return Detail("value_error", ("body", "content", item.index, "draft_task", "id"), message)
