"""A prompt taken apart: what it asks for, what it refuses, and the words nobody knows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from meshapi_renderer.lexicon import Mention, Token, lexicon, tokenise

NEUTRAL: Final = frozenset({"idle", "cue", "count", "tone"})
"""Slots of words that stand around others and ask for nothing of their own."""

_SHORT: Final = 5
_MANY_VOTES: Final = 4
_KINDRED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """The mentions of one prompt, split into those asked for and those negated."""

    text: str
    tokens: list[Token]
    asked: list[Mention]
    refused: list[Mention]
    unread: list[list[Token]]
    """Runs of neighbouring words that are in no language's lexicon."""


def take_apart(text: str) -> Reading:
    """Read normalised text."""
    tokens = tokenise(text)
    mentions = lexicon().mentions(text, tokens)
    votes = _votes(mentions)
    language = max(sorted(votes), key=lambda name: (votes[name], name == "en"), default="en")
    mentions = [mention for mention in mentions if not _is_foreign(mention, votes, language)]
    owner: list[Mention | None] = [None] * len(tokens)
    for mention in mentions:
        owner[mention.start : mention.end] = [mention] * (mention.end - mention.start)
    refused: list[Mention] = []
    asked: list[Mention] = []
    for mention in mentions:
        negated = _is_negated(mention, owner, tokens, refused, language)
        (refused if negated else asked).append(mention)
    return Reading(text, tokens, asked, refused, _unread_runs(tokens, owner))


def _votes(mentions: list[Mention]) -> Counter[str]:
    """How many mentions belong to each language: "no" negates in English, not in Portuguese."""
    return Counter(
        language
        for mention in mentions
        for language in {meaning.language for meaning in mention.meanings if meaning.slot != "cue"}
    )


def _is_foreign(mention: Mention, votes: Counter[str], language: str) -> bool:
    """Tell whether a short word only looks like one of another language: "close", "via", "ring"."""
    if len(mention.text) > _SHORT or not mention.text.isascii():
        return False
    own = max(votes[meaning.language] for meaning in mention.meanings)
    return votes[language] >= _MANY_VOTES and own < _KINDRED * votes[language]


def _has_cue(mention: Mention, name: str, language: str) -> bool:
    return any(
        meaning.slot == "cue" and meaning.value == name and meaning.language == language
        for meaning in mention.meanings
    )


def _is_negated(
    mention: Mention,
    owner: list[Mention | None],
    tokens: list[Token],
    refused: list[Mention],
    language: str,
) -> bool:
    """Tell whether a "no" stands before the mention, or a "without" behind it.

    Looks back over words without meaning of their own and things already refused ("no cars or people"),
    and stops at punctuation, prepositions and anything asked for.
    """
    after = owner[mention.end] if mention.end < len(owner) else None
    if after is not None and _has_cue(after, "not_after", language):
        return True
    unknown = 0
    for index in range(mention.start - 1, max(-1, mention.start - 7), -1):
        before = owner[index]
        if tokens[index].is_break:
            return False
        if before is None:
            unknown += 1
            if unknown > 1:
                return False
        elif _has_cue(before, "not", language):
            return True
        elif _ends_negation(before, language, refused):
            return False
    return False


def _ends_negation(mention: Mention, language: str, refused: list[Mention]) -> bool:
    if any(_has_cue(mention, cue, language) for cue in ("inside", "aside")):
        return True
    return not mention.slots <= NEUTRAL and mention not in refused


def _unread_runs(tokens: list[Token], owner: list[Mention | None]) -> list[list[Token]]:
    runs: list[list[Token]] = [[]]
    for token, mention in zip(tokens, owner, strict=True):
        if mention is None and token.text[0].isalpha():
            if runs[-1] and token.is_cjk != runs[-1][-1].is_cjk:
                runs.append([])
            runs[-1].append(token)
        elif runs[-1] and token.text not in "-'’‐":
            runs.append([])
    # A lone kana or Han character is as a rule grammar, not a word.
    return [run for run in runs if run and not (run[0].is_cjk and len(run) < 2)]
