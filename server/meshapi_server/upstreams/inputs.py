"""Content items against a card: their roles, the scenario they make, and what is wrong with them.

The rules are those of wire.md section 3. Positions in messages are those of the caller's request.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from meshapi_server.tasks.spec import ContentItem, ItemKind, Role
from meshapi_server.upstreams.card import ModelCard
from meshapi_server.upstreams.refusal import Detail
from meshapi_server.upstreams.rules import Scenario

_KIND_OF_ROLE: dict[Role, ItemKind] = {
    "first_frame": "image",
    "last_frame": "image",
    "reference_image": "image",
    "reference_video": "video",
    "reference_audio": "audio",
}
_FRAMES: frozenset[Role] = frozenset({"first_frame", "last_frame"})
_DEFAULT_ROLE: dict[ItemKind, Role] = {"video": "reference_video", "audio": "reference_audio"}
_IN_WORDS: dict[Scenario, str] = {
    "text": "text alone",
    "first_frame": "a first_frame image",
    "first_last_frame": "a first_frame and a last_frame image",
    "references": "reference items",
    "draft_task": "a draft_task",
}


class Inputs(Struct, frozen=True, kw_only=True):
    """The content with every role spelt out; ``scenario`` is ``None`` where it makes no sense."""

    content: tuple[ContentItem, ...]
    scenario: Scenario | None
    roles: frozenset[Role]
    problems: tuple[Detail, ...]


def read_inputs(content: tuple[ContentItem, ...], card: ModelCard) -> Inputs:
    """Judges the content against the card and gives every media item its role. Never raises."""
    named, problems = _name_roles(content, card)
    resolved = tuple(item for item, _ in named)
    sound = [item for item, is_sound in named if is_sound]
    problems += _text_problems(resolved, card)
    problems += _repeated_items(sound)
    problems += _too_many_references(sound, card)
    scenario = _scenario(sound)
    if not any(not is_sound for _, is_sound in named):
        problems += _scenario_problems(sound, scenario, card)
    roles = frozenset(item.role for item in sound if item.role is not None)
    return Inputs(content=resolved, scenario=scenario, roles=roles, problems=tuple(problems))


def _name_roles(
    content: tuple[ContentItem, ...], card: ModelCard
) -> tuple[list[tuple[ContentItem, bool]], list[Detail]]:
    """Each item with its role, and whether it is one that the model can take."""
    images = sum(item.kind == "image" for item in content)
    named: list[tuple[ContentItem, bool]] = []
    problems: list[Detail] = []
    for item in content:
        resolved = _with_role(item, images)
        problem = _item_problem(resolved, card)
        if problem is not None:
            problems.append(problem)
        named.append((resolved, problem is None))
    return named, problems


def _with_role(item: ContentItem, images: int) -> ContentItem:
    if item.role is not None:
        return item
    role = "first_frame" if item.kind == "image" and images == 1 else _DEFAULT_ROLE.get(item.kind)
    return item if role is None else structs.replace(item, role=role)


def _item_problem(item: ContentItem, card: ModelCard) -> Detail | None:
    if item.kind == "text":
        return None
    if item.kind == "draft_task":
        if "draft_task" in card.scenarios:
            return None
        return _at(item, "type", "content_not_allowed", f"{card.id} takes no draft_task")
    if item.role is None:
        choices = ", ".join(sorted(role for role in _KIND_OF_ROLE if _KIND_OF_ROLE[role] == "image"))
        return _at(item, "role", "role_ambiguous", f"several images need roles; accepted are {choices}")
    if _KIND_OF_ROLE[item.role] != item.kind:
        expected = _KIND_OF_ROLE[item.role]
        return _at(
            item,
            "role",
            "role_mismatch",
            f"role {item.role} belongs to {_a(expected)}, not to {_a(item.kind)}",
        )
    if item.role not in card.roles:
        taken = ", ".join(sorted(card.roles)) or "text only"
        return _at(item, "role", "role_not_allowed", f"{card.id} cannot take {item.role}; it takes {taken}")
    return None


def _text_problems(items: tuple[ContentItem, ...], card: ModelCard) -> Iterator[Detail]:
    texts = [item for item in items if item.kind == "text"]
    length = sum(len(item.text or "") for item in texts) + max(0, len(texts) - 1)
    if card.max_prompt is not None and length > card.max_prompt:
        yield _at(
            texts[-1],
            "text",
            "text_too_long",
            f"the prompt has {length} characters; {card.id} takes at most {card.max_prompt}",
        )
    has_text = any((item.text or "").strip() for item in texts)
    if not has_text and (card.needs_text or len(texts) == len(items)):
        yield Detail("missing_item", ("body", "content"), f"{card.id} needs a text item that is not empty")


def _repeated_items(items: list[ContentItem]) -> Iterator[Detail]:
    seen: set[str] = set()
    for item in items:
        name = item.role if item.role in _FRAMES else "draft_task" if item.kind == "draft_task" else None
        if name is None:
            continue
        if name in seen:
            field = "role" if item.role else "type"
            yield _at(item, field, "too_many_items", f"there is already a {name}; one is the most")
        seen.add(name)


def _too_many_references(items: list[ContentItem], card: ModelCard) -> Iterator[Detail]:
    if card.references is None:
        return
    limits: tuple[tuple[Role, int | bool], ...] = (
        ("reference_image", card.references.images),
        ("reference_video", card.references.videos),
        ("reference_audio", card.references.audios),
    )
    for role, limit in limits:
        given = [item for item in items if item.role == role]
        if limit is not True and len(given) > limit:
            message = f"{len(given)} {role} items; {card.id} takes at most {int(limit)}"
            yield _at(given[int(limit)], "role", "too_many_items", message)
    given = [item for item in items if item.role and item.role not in _FRAMES]
    total = card.references.total
    if total is not None and len(given) > total:
        message = f"{len(given)} reference items; {card.id} takes at most {total} in all"
        yield _at(given[total], "role", "too_many_items", message)


def _scenario(items: list[ContentItem]) -> Scenario | None:
    """What the items amount to. Frames decide where a model lets frames and references mix."""
    roles = {item.role for item in items if item.role is not None}
    if any(item.kind == "draft_task" for item in items):
        return "draft_task"
    if "first_frame" in roles:
        return "first_last_frame" if "last_frame" in roles else "first_frame"
    if "last_frame" in roles:
        return None
    return "references" if roles else "text"


def _scenario_problems(
    items: list[ContentItem], scenario: Scenario | None, card: ModelCard
) -> Iterator[Detail]:
    yield from _mixed(items, card)
    if scenario is None:
        yield Detail(
            "missing_item",
            ("body", "content"),
            "a last_frame needs a first_frame beside it; add one or leave it out",
        )
    elif scenario not in card.scenarios:
        accepted = " or ".join(_IN_WORDS[name] for name in card.scenarios)
        yield Detail(
            "scenario_not_allowed",
            ("body", "content"),
            f"{card.id} cannot work from {_IN_WORDS[scenario]}; it takes {accepted}",
        )
    yield from _audio_alone(items, card)
    roles = {item.role for item in items}
    for role in card.needs:
        if role not in roles:
            yield Detail("missing_item", ("body", "content"), f"{card.id} needs a {role} item")


def _mixed(items: list[ContentItem], card: ModelCard) -> Iterator[Detail]:
    """The first item of a second group, where groups exclude each other."""
    first: str | None = None
    for item in items:
        group = _group(item)
        if group is None:
            continue
        first = first or group
        if group != first and not (card.mixes_scenarios and "draft_task" not in (group, first)):
            message = f"{group} items cannot stand beside {first} items; send one kind or the other"
            yield _at(item, "role" if item.role else "type", "scenario_mixed", message)
            return


def _group(item: ContentItem) -> str | None:
    if item.kind == "text":
        return None
    if item.kind == "draft_task":
        return "draft_task"
    return "frame" if item.role in _FRAMES else "reference"


def _audio_alone(items: list[ContentItem], card: ModelCard) -> Iterator[Detail]:
    media = [item for item in items if item.kind != "text"]
    allowed = card.references is not None and card.references.audio_alone
    if media and not allowed and all(item.kind == "audio" for item in media):
        message = f"{card.id} cannot work from audio alone; add a reference image or video"
        yield _at(media[0], "role", "audio_alone", message)


def _at(item: ContentItem, field: str, kind: str, message: str) -> Detail:
    return Detail(kind, ("body", "content", item.index, field), f"content[{item.index}]: {message}")


def _a(kind: ItemKind) -> str:
    return f"an {kind}" if kind in ("image", "audio") else f"a {kind}"
