"""The several spellings of ``content`` become one (wire.md section 3). Pure; collects every problem."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from meshapi_server.tasks.errors import Detail, RequestInvalid
from meshapi_server.tasks.spec import ContentItem, ItemKind, Role

from .wire import ContentItemBody, MediaURL

_MEDIA: dict[str, ItemKind] = {"image_url": "image", "video_url": "video", "audio_url": "audio"}
_TYPES = ("text", *_MEDIA, "draft_task")
_ROLES: dict[ItemKind, tuple[Role, ...]] = {
    "image": ("first_frame", "last_frame", "reference_image"),
    "video": ("reference_video",),
    "audio": ("reference_audio",),
}
_DEFAULT_ROLE: dict[ItemKind, Role] = {
    "image": "first_frame",
    "video": "reference_video",
    "audio": "reference_audio",
}
_IMAGE_ROLES_AS_TYPE = frozenset(_ROLES["image"])
_SUBJECT = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_DATA_URI = re.compile(r"^data:(?P<type>[a-z]+)/[a-z0-9.+-]+(;[a-z0-9=.+-]+)*;base64,", re.IGNORECASE)
_HTTP_URL_LENGTH = 8192

Loc = tuple[str | int, ...]


class _Problem(Exception):
    def __init__(self, loc: Loc, message: str, kind: str = "value_error") -> None:
        super().__init__(message)
        self.detail = Detail(kind, ("body", "content", *loc), message)


def normalise(items: Sequence[ContentItemBody]) -> tuple[ContentItem, ...]:
    """The request's items in one spelling, roles filled in. Raises RequestInvalid, each fault named."""
    normal: list[ContentItem] = []
    problems: list[Detail] = []
    lone = sum(_kind(item) == "image" for item in items) == 1
    for index, item in enumerate(items):
        try:
            normal.append(_item(item, index, lone))
        except _Problem as problem:
            problems.append(problem.detail)
    if not problems:
        problems += _duplicates(normal)
    if problems:
        raise RequestInvalid(tuple(problems))
    return tuple(normal)


def _kind(item: ContentItemBody) -> ItemKind | None:
    if item.type in _IMAGE_ROLES_AS_TYPE:
        return "image"
    if item.type == "text" or item.type == "draft_task":
        return item.type  # type: ignore[return-value]  # narrowed by the comparison
    return _MEDIA.get(item.type)


def _item(item: ContentItemBody, index: int, lone: bool) -> ContentItem:
    kind = _kind(item)
    if kind is None:
        raise _Problem(
            (index, "type"), f"{item.type!r} is not a content type; use one of {', '.join(_TYPES)}"
        )
    if kind not in _ROLES and item.role is not None:
        raise _Problem((index, "role"), f"an item of type {item.type!r} has no role, got {item.role!r}")
    if kind == "text":
        return _text(item, index)
    if kind == "draft_task":
        return _draft(item, index)
    role = _role(item, kind, index, lone)
    return ContentItem(
        kind=kind, index=index, url=_url(item, kind, index), role=role, subject=_subject(item, role, index)
    )


def _text(item: ContentItemBody, index: int) -> ContentItem:
    if item.text is None:
        raise _Problem((index, "text"), "an item of type 'text' needs its text", "missing")
    if not item.text.strip():
        raise _Problem((index, "text"), "the text is empty; say what to show")
    return ContentItem(kind="text", index=index, text=item.text)


def _draft(item: ContentItemBody, index: int) -> ContentItem:
    if item.draft_task is None:
        raise _Problem(
            (index, "draft_task"), "an item of type 'draft_task' needs draft_task: {\"id\": ...}", "missing"
        )
    return ContentItem(kind="draft_task", index=index, task_id=item.draft_task.id)


def _role(item: ContentItemBody, kind: ItemKind, index: int, lone: bool) -> Role:
    roles = _ROLES[kind]
    spelled = item.type if item.type in _IMAGE_ROLES_AS_TYPE else None
    if spelled and item.role not in {None, spelled}:
        raise _Problem((index, "role"), f"the role {item.role!r} contradicts the type {item.type!r}")
    wished = spelled or item.role
    if wished is None:
        if kind == "image" and not lone:
            raise _Problem(
                (index, "role"),
                "ambiguous: with more than one image each needs a role, one of " + ", ".join(roles),
            )
        return _DEFAULT_ROLE[kind]
    for role in roles:
        if role == wished:
            return role
    raise _Problem(
        (index, "role"), f"the role {wished!r} does not fit the type {item.type!r}; use {' or '.join(roles)}"
    )


def _url(item: ContentItemBody, kind: ItemKind, index: int) -> str:
    key = f"{kind}_url"
    value = getattr(item, key)
    if value is None:
        raise _Problem((index, key), f"an item of type {item.type!r} needs {key}", "missing")
    url = value.url if isinstance(value, MediaURL) else value
    problem = _url_problem(url.strip(), kind)
    if problem:
        raise _Problem((index, key), problem)
    return url.strip()


def _url_problem(url: str, kind: ItemKind) -> str | None:
    if url[:5].lower() == "data:":
        match = _DATA_URI.match(url[:200])
        if match is None:
            return f"a data URI must read data:{kind}/...;base64,..."
        if match["type"].lower() != kind:
            return f"a data URI of type {match['type']}/... is no {kind}"
        return None
    problem = http_url_problem(url)
    return f"{problem} (a data URI would do, too)" if problem else None


def http_url_problem(url: str) -> str | None:
    """What is wrong with ``url`` as an http(s) URL that needs no login; None when nothing is."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or len(url) > _HTTP_URL_LENGTH or any(character.isspace() for character in url):
        shown = url if len(url) <= 80 else f"{url[:77]}..."
        return f"{shown!r} is no http(s) URL"
    if parts.username is not None:
        return "the URL must need no login"
    return None


def _subject(item: ContentItemBody, role: Role, index: int) -> str | None:
    if item.subject is None:
        return None
    if not role.startswith("reference_"):
        raise _Problem((index, "subject"), f"only reference items have a subject; this one is a {role}")
    if not _SUBJECT.match(item.subject):
        raise _Problem((index, "subject"), "a subject is 1 to 64 of A-Z a-z 0-9 _ -")
    return item.subject


def _duplicates(items: Sequence[ContentItem]) -> list[Detail]:
    problems = []
    for role in ("first_frame", "last_frame"):
        for item in [item for item in items if item.role == role][1:]:
            loc = ("body", "content", item.index, "role")
            problems.append(Detail("value_error", loc, f"there can be only one {role}"))
    return problems
