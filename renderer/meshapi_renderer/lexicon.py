"""Words and what they mean: the lexicon behind the prompt reader, and the matcher that finds them.

One file per language lies in `words/`; to teach the reader a language, add a file. Its sections are
the slots of a plan, and each section maps a value to the phrases that say it:

* `place` names a place outright, `hint` only suggests one (places: see `PLACES`);
* `time`, `weather`, `season`, `camera`, `speed`, `colour` say what they mean; `time_hint` is weaker;
* `planet` is the kind of planet that space shows (`PLANETS`);
* `subject` are things to see: those the renderer draws, by name, and `other` ones; `several` are their
  plurals, `count` numbers, `tone` colours that only a thing can have;
* `style` are manners of drawing, which this renderer does not know;
* `idle` words are understood and change nothing; `shield` phrases hide the words inside them
  ("golden retriever" is not a time of day);
* `cue` words sit around others: `inside` and `aside` stand before a place, `aside_after` behind it,
  `not` and `not_after` negate.

A phrase may stand in several sections ("snow" is weather and season). Where phrases overlap the longest
wins. Chinese and Japanese match anywhere, other scripts at word borders; Korean nouns carry particles,
so Korean words match from their beginning; elsewhere a trailing `*` asks for that.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from meshapi_renderer.plan import PlanetKind, Setting, Subject

PLACES: Final[Mapping[str, tuple[Setting, float]]] = {
    "lake": ("lake", 1.0),
    "mountain": ("lake", 0.85),
    "glacier": ("lake", 0.6),
    "river": ("lake", 0.5),
    "village": ("lake", 0.35),
    "ocean": ("ocean", 1.0),
    "beach": ("beach", 1.0),
    "island": ("beach", 0.8),
    "city": ("city", 1.0),
    "harbour": ("city", 0.5),
    "street": ("street", 1.0),
    "forest": ("forest", 1.0),
    "jungle": ("forest", 0.65),
    "garden": ("forest", 0.5),
    "meadow": ("meadow", 1.0),
    "savanna": ("meadow", 0.5),
    "dunes": ("dunes", 1.0),
    "canyon": ("dunes", 0.5),
    "planet": ("dunes", 0.45),
    "space": ("space", 1.0),
    "sky": ("sky", 1.0),
    "underwater": ("underwater", 1.0),
    "waterfall": ("waterfall", 1.0),
    "fire": ("fire", 1.0),
    "campfire": ("fire", 0.9),
    "volcano": ("fire", 0.5),
    "aurora": ("aurora", 1.0),
    "studio": ("studio", 1.0),
    "interior": ("studio", 0.3),
    "neon": ("neon", 1.0),
}
"""Places the reader knows, the setting that shows each, and how near that comes (1 = the place itself)."""

FEATURES: Final = frozenset({"waterfall", "fire", "campfire", "volcano", "aurora"})
"""Places that are what one looks at wherever they are: a waterfall in a forest is a waterfall."""

HOMES: Final[Mapping[Subject, tuple[Setting, float]]] = {
    "sailboat": ("ocean", 0.8),
    "birds": ("sky", 0.5),
    "balloon": ("sky", 0.9),
    "rocket": ("space", 0.9),
    "train": ("meadow", 0.5),
    "car": ("street", 0.7),
    "cat": ("studio", 0.9),
    "dog": ("studio", 0.8),
    "fish": ("underwater", 1.0),
    "butterfly": ("meadow", 0.9),
    "person": ("street", 0.2),
    "campfire": ("fire", 1.0),
}
"""Where a subject is at home when a prompt names no place, and how strongly it calls for that."""

SEVERAL: Final[Mapping[Subject, int]] = {
    "sailboat": 4,
    "birds": 13,
    "balloon": 6,
    "rocket": 1,
    "train": 1,
    "car": 3,
    "cat": 2,
    "dog": 2,
    "fish": 34,
    "butterfly": 6,
    "person": 4,
    "campfire": 1,
}
"""How many of a subject a plural means."""

PLANETS: Final[Mapping[str, tuple[PlanetKind, bool]]] = {
    "ringed": ("giant", True),
    "giant": ("giant", False),
    "ice_giant": ("ice_giant", False),
    "earth": ("earth", False),
    "desert": ("desert", False),
    "ice": ("ice", False),
}
"""Planets by name: their kind, and whether they have rings."""

TONES: Final[Mapping[str, str]] = {"black": "1b1b1e", "brown": "6b4423", "grey": "8d9096"}
"""Colours of things that are no colours of a scene, as sRGB hex."""

COLOURS: Final[Mapping[str, str]] = {
    "red": "e5383b",
    "orange": "ff8c1a",
    "yellow": "ffd60a",
    "green": "2dc653",
    "teal": "20b2a6",
    "cyan": "22d3ee",
    "blue": "2f6bff",
    "purple": "8b3dff",
    "magenta": "e813c4",
    "pink": "ff5fa2",
    "gold": "e0aa3e",
    "white": "f4f6ff",
}
"""Colour names as sRGB hex."""

SPEEDS: Final[Mapping[str, float]] = {"slow": 0.5, "calm": 0.8, "fast": 1.6}

_CJK: Final = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN: Final = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W_])+|[^\w\s]")
_KATAKANA: Final = re.compile("[\u30a0-\u30ff]")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, one Chinese or Japanese character, or a punctuation mark of a prompt."""

    text: str
    """Folded: lower case, Latin letters without accents."""
    start: int
    end: int

    @property
    def is_break(self) -> bool:
        """Whether this is punctuation. A hyphen or apostrophe joins words and is no break."""
        return not self.text[0].isalnum() and self.text not in "-'’‐ー々"

    @property
    def is_cjk(self) -> bool:
        """Whether this is a Chinese or Japanese character."""
        return re.match(f"[{_CJK}]", self.text) is not None


@dataclass(frozen=True, slots=True)
class Meaning:
    """One reading of a phrase in one language."""

    slot: str
    value: str
    language: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of the lexicon found at tokens `start`..`end` (exclusive), with all its meanings."""

    start: int
    end: int
    text: str
    meanings: tuple[Meaning, ...]

    def values(self, slot: str) -> tuple[str, ...]:
        """Return the different values this mention has in a slot."""
        return tuple(dict.fromkeys(meaning.value for meaning in self.meanings if meaning.slot == slot))

    @property
    def slots(self) -> frozenset[str]:
        """The slots this mention speaks to."""
        return frozenset(meaning.slot for meaning in self.meanings)


def normalise(prompt: str) -> str:
    """Return the prompt with compatibility forms (full-width letters and the like) made plain."""
    return unicodedata.normalize("NFKC", prompt)


def tokenise(text: str) -> list[Token]:
    """Split normalised text into tokens."""
    return [Token(_fold(match.group()), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def _fold(word: str) -> str:
    folded = word.casefold()
    if folded.isascii():
        return folded
    return "".join(_without_accent(letter) for letter in folded)


def _without_accent(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter


class Lexicon:
    """All languages in one index, matched in a single pass."""

    def __init__(self, languages: Mapping[str, Mapping[str, Mapping[str, Iterable[str]]]]) -> None:
        self.languages = tuple(sorted(languages))
        self._phrases: dict[tuple[str, ...], list[Meaning]] = {}
        self._stems: dict[tuple[str, ...], list[tuple[str, Meaning]]] = {}
        self._longest = 1
        for language in self.languages:
            for slot, values in languages[language].items():
                for value, phrases in values.items():
                    for phrase in phrases:
                        self._add(phrase, Meaning(slot, value, language))

    def _add(self, phrase: str, meaning: Meaning) -> None:
        words = tuple(token.text for token in tokenise(normalise(phrase.rstrip("*"))))
        self._longest = max(self._longest, len(words))
        if phrase.endswith("*") or _HANGUL.match(words[-1]):
            self._stems.setdefault(words[:-1], []).append((words[-1], meaning))
        else:
            self._phrases.setdefault(words, []).append(meaning)

    def mentions(self, text: str, tokens: list[Token]) -> list[Mention]:
        """Return the phrases found in normalised text, in order and without overlap."""
        found = sorted(
            self._candidates(text, tokens), key=lambda mention: (mention.start - mention.end, mention.start)
        )
        taken = [False] * len(tokens)
        chosen = []
        for mention in found:
            if not any(taken[mention.start : mention.end]):
                taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
                chosen.append(mention)
        return sorted(chosen, key=lambda mention: mention.start)

    def _candidates(self, text: str, tokens: list[Token]) -> Iterator[Mention]:
        # Hyphens and apostrophes join words: "time-lapse" is found as "time lapse".
        places = [index for index, token in enumerate(tokens) if token.text not in "-'’‐"]
        words = [tokens[index].text for index in places]
        for first in range(len(words)):
            for last in range(first + 1, min(first + self._longest, len(words)) + 1):
                meanings = self._meanings(tuple(words[first:last]))
                start, end = places[first], places[last - 1] + 1
                if meanings and not _cuts_katakana(tokens, start, end):
                    yield Mention(start, end, text[tokens[start].start : tokens[end - 1].end], meanings)

    def _meanings(self, words: tuple[str, ...]) -> tuple[Meaning, ...]:
        meanings = list(self._phrases.get(words, ()))
        stems = self._stems.get(words[:-1], ())
        meanings.extend(meaning for stem, meaning in stems if words[-1].startswith(stem))
        return tuple(meanings)


def _cuts_katakana(tokens: list[Token], start: int, end: int) -> bool:
    """Tell whether a span ends inside a katakana word, as "biru" would in "biruma" (Burma)."""

    def joined(left: int, right: int) -> bool:
        return (
            left >= 0
            and right < len(tokens)
            and tokens[left].end == tokens[right].start
            and bool(_KATAKANA.match(tokens[left].text) and _KATAKANA.match(tokens[right].text))
        )

    return joined(start - 1, start) or joined(end - 1, end)


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of all languages in `words/`."""
    folder = resources.files("meshapi_renderer") / "words"
    return Lexicon(
        {
            entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))
            for entry in folder.iterdir()
            if entry.name.endswith(".toml")
        }
    )
