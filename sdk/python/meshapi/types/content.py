"""The results of a task: a list to iterate, with the usual two also at hand by name (wire.md section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

VIDEO = "video_url"
LAST_FRAME = "last_frame_url"


@dataclass(frozen=True, slots=True)
class VideoTaskContent:
    """One result: ``type`` is ``"video_url"`` or ``"last_frame_url"``, ``url`` where it can be fetched."""

    type: str
    url: str


class VideoTaskContentList(list[VideoTaskContent]):
    """The results of a task, the video first."""

    @property
    def video_url(self) -> str | None:
        """The video's URL, None when there is none."""
        return self._first(VIDEO)

    @property
    def last_frame_url(self) -> str | None:
        """The last frame's URL, None when none was asked for."""
        return self._first(LAST_FRAME)

    def _first(self, kind: str) -> str | None:
        return next((item.url for item in self if item.type == kind), None)


def decode(value: Any) -> VideoTaskContentList | None:
    """Either wire form, the object or the list; None when it holds no result."""
    if isinstance(value, VideoTaskContentList):
        return value
    if isinstance(value, Mapping):
        items = _from_object(value)
    elif isinstance(value, list):
        items = [item for each in value if (item := _from_item(each)) is not None]
    else:
        return None
    return VideoTaskContentList(items) or None


def encode(value: VideoTaskContentList | None) -> dict[str, str] | None:
    """The object form, as our server sends it."""
    return None if value is None else {item.type: item.url for item in value}


def _from_object(value: Mapping[str, Any]) -> list[VideoTaskContent]:
    names = [VIDEO, LAST_FRAME, *(name for name in value if name.endswith("_url"))]
    urls = {name: value[name] for name in names if isinstance(value.get(name), str)}
    return [VideoTaskContent(name, url) for name, url in urls.items()]


def _from_item(value: Any) -> VideoTaskContent | None:
    if isinstance(value, VideoTaskContent):
        return value
    if not isinstance(value, Mapping) or not isinstance(kind := value.get("type"), str):
        return None
    url = value.get("url") or value.get(kind)
    if isinstance(url, Mapping):
        url = url.get("url")
    return VideoTaskContent(kind, url) if isinstance(url, str) else None


ContentField = Annotated[
    VideoTaskContentList | None,
    PlainValidator(decode),
    PlainSerializer(encode),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "properties": {VIDEO: {"type": "string"}, LAST_FRAME: {"type": "string"}},
                    "additionalProperties": {"type": "string"},
                },
            ]
        }
    ),
]
