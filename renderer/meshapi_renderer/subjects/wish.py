"""Which subject a prompt asks for: what it is, how many, in what colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meshapi_renderer.lexicon import COLOURS, SEVERAL, TONES, Mention
from meshapi_renderer.phrasing import NEUTRAL, Reading
from meshapi_renderer.plan import SUBJECTS, Subject

_REACH: Final = 3
"""Mentions before or behind a subject in which its number and colour are sought."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A subject that can be drawn, as the prompt asks for it."""

    subject: Subject
    text: str
    count: int
    """0 where the prompt leaves it open."""
    colour: str | None
    """sRGB hex, or None for its usual colours."""
    colour_mention: Mention | None


def wishes(reading: Reading) -> list[Wish]:
    """The drawable subjects of a prompt, in order, each once."""
    found: dict[Subject, Wish] = {}
    for index, mention in enumerate(reading.asked):
        for subject in SUBJECTS:
            single, plural = subject in mention.values("subject"), subject in mention.values("several")
            if (single or plural) and subject not in found:
                colour, source = _colour(reading, index)
                count = _asked_count(reading, index, mention, subject, plural=plural and not single)
                found[subject] = Wish(subject, mention.text, count, colour, source)
    return list(found.values())


def others(reading: Reading) -> list[str]:
    """Known things of a prompt that cannot be drawn."""
    return list(
        dict.fromkeys(
            mention.text
            for mention in reading.asked
            if "other" in mention.values("subject")
            and not any(
                value in SUBJECTS for value in (*mention.values("subject"), *mention.values("several"))
            )
        )
    )


def _asked_count(reading: Reading, index: int, mention: Mention, subject: Subject, *, plural: bool) -> int:
    """The number before the word; "a school of fish" is not one fish."""
    count = _count(reading, index)
    if count > 1 or (count == 1 and not plural):
        return count
    return _usual_count(mention, subject, plural=plural)


def _usual_count(mention: Mention, subject: Subject, *, plural: bool) -> int:
    """What a form of the word says by itself: Chinese, Japanese and Korean words leave the number open."""
    if plural:
        return SEVERAL[subject]
    languages = {meaning.language for meaning in mention.meanings if meaning.slot == "subject"}
    return 0 if languages <= {"zh", "ja", "ko"} else 1


def _neighbours(reading: Reading, index: int) -> list[Mention]:
    """Mentions right before a mention, nearest first, up to a break or anything else asked for."""
    found: list[Mention] = []
    end = reading.asked[index].start
    for back in range(index - 1, max(-1, index - 1 - _REACH), -1):
        before = reading.asked[back]
        if before.end < end and any(token.is_break for token in reading.tokens[before.end : end]):
            break
        if not before.slots <= NEUTRAL | {"colour", "style", "speed", "time_hint", "hint"}:
            break
        found.append(before)
        end = before.start
    return found


def _count(reading: Reading, index: int) -> int:
    for mention in _neighbours(reading, index):
        for value in mention.values("count"):
            return int(value)
    return 0


def _colour(reading: Reading, index: int) -> tuple[str | None, Mention | None]:
    """The colour named right before the subject, or right behind it as Romance languages do."""
    candidates = _neighbours(reading, index)[:2]
    mention = reading.asked[index]
    if index + 1 < len(reading.asked) and reading.asked[index + 1].start == mention.end:
        candidates.append(reading.asked[index + 1])
    for candidate in candidates:
        for name in candidate.values("colour"):
            return COLOURS[name], candidate
        for name in candidate.values("tone"):
            return TONES[name], candidate
    return None, None
