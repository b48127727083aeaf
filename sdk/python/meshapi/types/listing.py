"""Asking for tasks and the page that answers (wire.md section 6; contract: list-query, paging)."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from meshapi._exchange import QueryPairs

from .lenient import LenientModel
from .rows import objects_only
from .task import VideoTaskResponse


def _zoned(value: datetime.datetime | int | str | None) -> datetime.datetime | int | str | None:
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        raise ValueError("a datetime needs a time zone, for example datetime.now(datetime.UTC)")
    return value


Moment = Annotated[datetime.datetime | int | str | None, Field(union_mode="smart"), AfterValidator(_zoned)]


class ListVideoGenerationsFields(TypedDict, total=False):
    """The parameters of a list as keyword arguments."""

    limit: int | None
    offset: int | None
    after: str | None
    status: str | Sequence[str] | None
    model: str | Sequence[str] | None
    created_after: datetime.datetime | int | str | None
    created_before: datetime.datetime | int | str | None
    metadata: dict[str, str] | None


class ListVideoGenerationsParams(BaseModel):
    """Which tasks, newest first. ``status`` and ``model`` take one value or several.

    ``limit`` is 1 to 200 (the server's default is 50). ``created_after`` (inclusive) and ``created_before``
    (exclusive) are datetimes with a zone, Unix seconds or ISO 8601 text. ``after`` is a task id: the page
    begins behind it.
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=(), defer_build=True)

    limit: int | None = None
    offset: int | None = None
    after: str | None = None
    status: str | list[str] | None = None
    model: str | list[str] | None = None
    created_after: Moment = None
    created_before: Moment = None
    metadata: dict[str, str] | None = None

    def to_query(self) -> QueryPairs:
        """Name and value pairs, unset ones left out; fields newer than this package come last."""
        pairs: QueryPairs = []
        for name in ("limit", "offset", "after", "status", "model", "created_after", "created_before"):
            pairs += _pairs(name, getattr(self, name))
        pairs += [(f"metadata[{key}]", value) for key, value in (self.metadata or {}).items()]
        for name, value in (self.model_extra or {}).items():
            pairs += _pairs(name, value)
        return pairs


def _pairs(name: str, value: Any) -> QueryPairs:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [pair for each in value for pair in _pairs(name, each)]
    if isinstance(value, bool):
        return [(name, "true" if value else "false")]
    if isinstance(value, int) and name.startswith("created_"):
        value = datetime.datetime.fromtimestamp(value, datetime.UTC)
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    return [(name, str(value))]


class VideoTaskList(LenientModel):
    """A page of tasks; ``total`` counts all that the filters select."""

    object: str = "list"
    data: Annotated[list[VideoTaskResponse], BeforeValidator(objects_only)] = Field(default_factory=list)
    has_more: bool | None = None
    total: int | None = None
    limit: int | None = None
    offset: int | None = None
    request_id: str | None = None
