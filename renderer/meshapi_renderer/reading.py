"""The prompt reader: a sentence in, a scene plan out. Pure, and the same on every machine.

The reader fills slots (where, when, which weather, ...) instead of choosing one class, so that "a rainy
city at night" loses neither the rain nor the night. It never claims more than it found: what was read
stands in `understood`, what the picture will not show stands in `left_out`.
"""

from __future__ import annotations

import colorsys
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from meshapi_renderer.lexicon import COLOURS, PLACES, SPEEDS, Mention, Token, lexicon, normalise, tokenise
from meshapi_renderer.plan import (
    SETTINGS,
    CameraMove,
    ScenePlan,
    Season,
    Setting,
    TimeOfDay,
    Weather,
)

READ_CHARACTERS: Final = 4000
"""Longer prompts are read up to here; the plan says so."""

_HINT_WEIGHT: Final = 0.45
_CUE_WEIGHTS: Final = {"inside": 1.2, "aside": 0.6, "aside_after": 0.6}
_MODIFIER_WEIGHT: Final = 0.7
_REPEAT_WEIGHT: Final = 0.2
_SUBJECT_PENALTY: Final = 0.65
_NEAR: Final = 0.8
"""A scene at least this close to the place asked for counts as the place."""
_FAR: Final = 0.5
"""A place no closer than this does not show in its scene."""
_MOST_UNREAD: Final = 8
_MOST_COLOURS: Final = 4
_LONGEST_HEAD: Final = 4
_LONGEST_NOTE: Final = 60

_IMPLIED: Final[dict[str, tuple[Setting, float]]] = {
    "snow": ("forest", 0.4),
    "fog": ("forest", 0.3),
    "rain": ("city", 0.3),
    "storm": ("beach", 0.3),
    "sunset": ("beach", 0.35),
    "sunrise": ("lake", 0.35),
    "golden": ("lake", 0.3),
    "night": ("dunes", 0.3),
    "autumn": ("forest", 0.35),
    "winter": ("forest", 0.35),
    "spring": ("lake", 0.25),
    "summer": ("beach", 0.25),
}
"""Scenes for prompts that name a weather, a time or a season and no place."""

_USUAL_TIME: Final[dict[Setting, TimeOfDay]] = {
    "lake": "golden",
    "city": "dusk",
    "beach": "noon",
    "forest": "golden",
    "dunes": "sunset",
    "neon": "night",
    "aurora": "night",
    "ocean": "golden",
    "sky": "sunset",
    "space": "night",
    "underwater": "noon",
}
_GREY_WEATHER: Final = frozenset({"overcast", "storm", "rain", "snow", "fog"})


@dataclass(frozen=True, slots=True)
class _Place:
    """A place as mentioned: how strongly it was asked for, and what it will be drawn as."""

    text: str
    name: str
    setting: Setting
    closeness: float
    named: bool
    score: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """The mentions of one prompt, split into those asked for and those negated."""

    text: str
    tokens: list[Token]
    asked: list[Mention]
    refused: list[Mention]
    unread: list[list[Token]]
    """Runs of neighbouring words that are in no language's lexicon."""


def read_prompt(prompt: str) -> ScenePlan:
    """Return the scene plan of a prompt, in any language of the lexicon.

    Reads the first 4,000 characters. Never fails: a prompt without a known place gives an abstract
    picture tinted by the prompt, with a low confidence.
    """
    reading = _read(normalise(prompt)[:READ_CHARACTERS])
    weather, weather_notes = _choose(reading, "weather")
    time, time_notes = _choose(reading, "time", "time_hint")
    season, season_notes = _choose(reading, "season")
    camera, camera_notes = _choose(reading, "camera")
    speed, speed_notes = _choose(reading, "speed")
    if weather is None and _refuses(reading, "weather"):
        weather = "clear"
    places = list(_places(reading))
    place = _best_place(places)
    setting, closeness = _setting(place, weather, time, season, reading)
    colours = _colours(reading)
    subjects = _subjects(reading, guess=place is None or not place.named)

    understood = [f"setting: {_labelled(setting, place.text)}"] if place else []
    understood += weather_notes[:1] + time_notes[:1] + season_notes[:1] + camera_notes[:1] + speed_notes[:1]
    understood += [f"colour: {name}" for name in colours]
    left_out = [f"subject: {subject}" for subject in subjects]
    left_out += _misplaced(place, places, setting)
    left_out += [f"style: {mention.text}" for mention in reading.asked if "style" in mention.slots]
    left_out += [f"also {note}" for note in weather_notes[1:] + time_notes[1:] + camera_notes[1:]]
    left_out += _unread_note(reading, subjects)
    if len(prompt) > READ_CHARACTERS:
        left_out.append(f"everything after character {READ_CHARACTERS}")
    tint = tuple(COLOURS[name] for name in colours)
    return ScenePlan(
        setting=setting,
        subject=subjects[0] if subjects else None,
        time=cast(TimeOfDay, time or _usual_time(setting, weather)),
        weather=cast(Weather, weather or "clear"),
        season=cast(Season, season or "summer"),
        camera=cast(CameraMove, camera or "drift"),
        viewpoint="aerial" if _from_above(reading) else "ground",
        speed=SPEEDS.get(speed or "", 1.0),
        colours=tint if tint or closeness > 0.1 else _tint_of(prompt),
        confidence=_confidence(closeness, subjects, reading),
        understood=tuple(understood),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _read(text: str) -> _Reading:
    tokens = tokenise(text)
    mentions = lexicon().mentions(text, tokens)
    language = _language(mentions)
    owner: list[Mention | None] = [None] * len(tokens)
    for mention in mentions:
        owner[mention.start : mention.end] = [mention] * (mention.end - mention.start)
    refused: list[Mention] = []
    asked: list[Mention] = []
    for mention in mentions:
        negated = _is_negated(mention, mentions, owner, tokens, refused, language)
        (refused if negated else asked).append(mention)
    return _Reading(text, tokens, asked, refused, _unread_runs(tokens, owner))


def _language(mentions: list[Mention]) -> str:
    """Return the language most mentions belong to: "no" negates in English, not in Portuguese."""
    votes = Counter(
        language
        for mention in mentions
        for language in {meaning.language for meaning in mention.meanings if meaning.slot != "cue"}
    )
    return max(sorted(votes), key=lambda language: (votes[language], language == "en"), default="en")


def _has_cue(mention: Mention, name: str, language: str) -> bool:
    return any(
        meaning.slot == "cue" and meaning.value == name and meaning.language == language
        for meaning in mention.meanings
    )


def _is_negated(
    mention: Mention,
    mentions: list[Mention],
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
    return not mention.slots <= {"idle", "cue"} and mention not in refused


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


def _choose(reading: _Reading, slot: str, hint_slot: str = "") -> tuple[str | None, list[str]]:
    """Return the best value of a slot, and notes: for it, then for other values named outright."""
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    named: set[str] = set()
    for mention in reading.asked:
        for source, weight in ((slot, 1.0), (hint_slot, _HINT_WEIGHT)):
            for value in mention.values(source):
                known = scores.get(value, 0.0)
                scores[value] = max(known, weight) + (_REPEAT_WEIGHT * weight if known else 0.0)
                texts.setdefault(value, mention.text)
                if source == slot:
                    named.add(value)
    if not scores:
        return None, []
    best = max(scores, key=lambda value: scores[value])
    others = [value for value in scores if value in named and value != best]
    return best, [f"{slot}: {_labelled(value, texts[value])}" for value in [best, *others]]


def _labelled(value: str, text: str) -> str:
    return value if value == text.casefold() else f"{value} ({text})"


def _refuses(reading: _Reading, slot: str) -> bool:
    return any(slot in mention.slots for mention in reading.refused)


def _from_above(reading: _Reading) -> bool:
    """Tell whether an aerial view is asked for, be it beside another camera move."""
    return any("aerial" in mention.values("camera") for mention in reading.asked)


def _places(reading: _Reading) -> Iterator[_Place]:
    order = 0
    for index, mention in enumerate(reading.asked):
        for slot, weight in (("place", 1.0), ("hint", _HINT_WEIGHT)):
            for name in mention.values(slot):
                setting, closeness = PLACES[name]
                score = weight * _cue_weight(reading, index) * (0.7 + 0.3 * closeness) * (0.93**order)
                order += 1
                yield _Place(mention.text, name, setting, closeness, slot == "place", score)


def _cue_weight(reading: _Reading, index: int) -> float:
    """Weigh a place by the words around it: "in the city" is the setting, "behind the city" is not."""
    mention = reading.asked[index]
    following = reading.asked[index + 1] if index + 1 < len(reading.asked) else None
    if following and following.start == mention.end:
        if "aside_after" in following.values("cue"):
            return _CUE_WEIGHTS["aside_after"]
        if following.text in {"的", "の"}:
            return _MODIFIER_WEIGHT
    for back in range(index - 1, max(-1, index - 4), -1):
        before = reading.asked[back]
        crossed = reading.tokens[before.end : mention.start]
        if any(token.is_break for token in crossed) or not before.slots <= {"idle", "cue"}:
            break
        for cue in ("aside", "inside"):
            if cue in before.values("cue"):
                return _CUE_WEIGHTS[cue]
    return 1.0


def _best_place(places: list[_Place]) -> _Place | None:
    """Return the place that decides the setting: the best of the setting with the most support."""
    if not places:
        return None

    def support(setting: Setting) -> float:
        scores = sorted((place.score for place in places if place.setting == setting), reverse=True)
        return scores[0] + _REPEAT_WEIGHT * sum(scores[1:]) if scores else 0.0

    chosen = max(SETTINGS, key=support)
    return max((place for place in places if place.setting == chosen), key=lambda place: place.score)


def _setting(
    place: _Place | None, weather: str | None, time: str | None, season: str | None, reading: _Reading
) -> tuple[Setting, float]:
    """Return the setting and how near it comes to what was asked, 0..1."""
    if place is not None:
        return place.setting, place.closeness if place.named else 0.6 * place.closeness
    for value in (weather, time, season):
        if value in _IMPLIED:
            return _IMPLIED[value]
    if any("colour" in mention.slots for mention in reading.asked):
        return "neon", 0.35
    return "neon", 0.1


def _misplaced(place: _Place | None, places: list[_Place], setting: Setting) -> list[str]:
    if place is None:
        return [f"place: none was recognised, so the scene is {setting}"]
    notes = [f"place: {place.text}, drawn as {place.setting}"] if place.closeness < _NEAR else []
    return notes + [f"place: {other.text}" for other in places if _is_missing(other, place)]


def _is_missing(other: _Place, place: _Place) -> bool:
    """Tell whether a place mentioned beside the chosen one does not show in its scene."""
    if other.text == place.text or (other.name == "neon" and not other.named):  # cities have neon lights
        return False
    return other.setting != place.setting or (other.named and other.closeness <= _FAR)


def _colours(reading: _Reading) -> list[str]:
    names = [name for mention in reading.asked for name in mention.values("colour")]
    return list(dict.fromkeys(names))[:_MOST_COLOURS]


def _subjects(reading: _Reading, *, guess: bool) -> list[str]:
    known = [mention.text for mention in reading.asked if "subject" in mention.slots]
    if known or not guess:
        return list(dict.fromkeys(known))
    head = _head_noun(reading)
    return [head] if head else []


def _head_noun(reading: _Reading) -> str | None:
    """Guess the thing asked for among unknown words: a short run that something else follows.

    "A gryphon at night" has a gryphon; in "an azimuthal night" the unknown word only describes.
    """
    described = {mention.start for mention in reading.asked if not mention.slots <= {"idle", "cue"}}
    for run in reading.unread:
        words = [token for token in run if not token.text.endswith(("ing", "ed", "ly"))][:_LONGEST_HEAD]
        describes = reading.tokens.index(run[-1]) + 1 in described and words[-1:] == run[-1:]
        if words and (run[0].is_cjk or not describes):
            return _shortened(reading.text[words[0].start : words[-1].end])
    return None


def _unread_note(reading: _Reading, subjects: list[str]) -> list[str]:
    words = [reading.text[run[0].start : run[-1].end] for run in reading.unread]
    for subject in subjects:
        words = [word.removeprefix(subject).strip() for word in words]
    words = [word for word in dict.fromkeys(words) if word]
    if not words:
        return []
    shown = ", ".join(_shortened(word) for word in words[:_MOST_UNREAD])
    return [
        f"not read: {shown}" + (f" and {len(words) - _MOST_UNREAD} more" if len(words) > _MOST_UNREAD else "")
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_NOTE else text[: _LONGEST_NOTE - 1] + "…"


def _usual_time(setting: Setting, weather: str | None) -> TimeOfDay:
    if weather in _GREY_WEATHER and setting not in ("city", "neon"):
        return "noon"
    return _USUAL_TIME[setting]


def _confidence(closeness: float, subjects: list[str], reading: _Reading) -> float:
    """Closeness of the scene, less for a subject that is not drawn and for words not understood."""
    read = sum(1 for mention in reading.asked if not mention.slots <= {"idle", "cue", "shield"})
    coverage = read / (read + len(reading.unread)) if read else 0.0
    penalty = _SUBJECT_PENALTY if subjects else 1.0
    return round(max(0.0, min(1.0, closeness * penalty * (0.6 + 0.4 * coverage))), 2)


def _tint_of(prompt: str) -> tuple[str, ...]:
    """Return three neighbouring hues drawn from the prompt's hash, as sRGB hex."""
    digest = hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=2).digest()
    hue = int.from_bytes(digest, "little") / 65536

    def colour(shift: float) -> str:
        channels = colorsys.hsv_to_rgb((hue + shift) % 1.0, 0.8, 1.0)
        return "".join(f"{round(255 * channel):02x}" for channel in channels)

    return tuple(colour(shift) for shift in (0.0, 0.09, -0.12))
