"""The prompt reader: a sentence in, a scene plan out. Pure, and the same on every machine.

The reader fills slots (where, when, which weather, ...) instead of choosing one class, so that "a rainy
city at night" loses neither the rain nor the night. It never claims more than it found: what was read
stands in `understood`, what the picture will not show stands in `left_out`.
"""

from __future__ import annotations

import colorsys
import hashlib
from typing import Final, cast

from meshapi_renderer.lexicon import COLOURS, PLACES, PLANETS, SPEEDS, normalise
from meshapi_renderer.meaning import meaning_of
from meshapi_renderer.phrasing import NEUTRAL, Reading, take_apart
from meshapi_renderer.places import Place, best_place, places
from meshapi_renderer.plan import CameraMove, ScenePlan, Season, Setting, TimeOfDay, Viewpoint, Weather
from meshapi_renderer.subjects.stage import has_place
from meshapi_renderer.subjects.wish import Wish, others, wishes

READ_CHARACTERS: Final = 4000
"""Longer prompts are read up to here; the plan says so."""

_HINT_WEIGHT: Final = 0.45
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
    "rain": ("street", 0.35),
    "storm": ("ocean", 0.35),
    "cloudy": ("sky", 0.35),
    "sunset": ("ocean", 0.35),
    "sunrise": ("lake", 0.35),
    "golden": ("lake", 0.3),
    "night": ("dunes", 0.3),
    "autumn": ("forest", 0.35),
    "winter": ("forest", 0.35),
    "spring": ("meadow", 0.3),
    "summer": ("meadow", 0.25),
}
"""Settings for prompts that name a weather, a time or a season and no place."""

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
    "street": "night",
    "meadow": "golden",
    "waterfall": "noon",
    "fire": "night",
    "studio": "noon",
}
_GREY_WEATHER: Final = frozenset({"overcast", "storm", "rain", "snow", "fog"})
_INDOOR: Final = frozenset({"city", "street", "neon", "studio", "fire", "space", "aurora"})
"""Settings whose usual hour does not depend on the weather."""


def read_prompt(prompt: str) -> ScenePlan:
    """Return the scene plan of a prompt, in any language of the lexicon.

    Reads the first 4,000 characters. Never fails: a prompt without a known place gives an abstract
    picture tinted by the prompt, with a low confidence.
    """
    reading = take_apart(normalise(prompt)[:READ_CHARACTERS])
    weather, weather_notes = _choose(reading, "weather")
    time, time_notes = _choose(reading, "time", "time_hint")
    season, season_notes = _choose(reading, "season")
    camera, camera_notes = _choose(reading, "camera")
    speed, speed_notes = _choose(reading, "speed")
    if weather is None and _refuses(reading, "weather"):
        weather = "clear"
    found = places(reading)
    place = best_place(found, lambda: meaning_of(reading.text))
    setting, closeness = _setting(place, weather, time, season, reading)
    planet, planet_notes = _choose(reading, "planet") if setting == "space" else (None, [])
    kind, ringed = PLANETS[planet] if planet else (None, None)
    viewpoint: Viewpoint = "aerial" if _from_above(reading) else "ground"
    wished, unplaced = _cast(wishes(reading), setting, viewpoint)
    colours = _colours(reading, wished)
    things = others(reading)
    if not things and wished is None and not unplaced and (place is None or not place.named):
        things = _head_noun(reading)

    understood = [f"setting: {_labelled(setting, place.text)}"] if place else []
    understood += [f"subject: {_labelled(wished.subject, wished.text)}"] if wished else []
    understood += planet_notes[:1]
    understood += weather_notes[:1] + time_notes[:1] + season_notes[:1] + camera_notes[:1] + speed_notes[:1]
    understood += [f"colour: {name}" for name in colours]
    left_out = [f"subject: {thing}" for thing in things]
    left_out += [_unplaced_note(wish, setting, viewpoint) for wish in unplaced]
    seen = {mention.text for mention in reading.asked if planet and "planet" in mention.slots}
    left_out += _misplaced(place, [other for other in found if other.text not in seen], setting)
    left_out += [f"style: {mention.text}" for mention in reading.asked if "style" in mention.slots]
    left_out += [
        f"also {note}" for note in planet_notes[1:] + weather_notes[1:] + time_notes[1:] + camera_notes[1:]
    ]
    left_out += _unread_note(reading, things)
    if len(prompt) > READ_CHARACTERS:
        left_out.append(f"everything after character {READ_CHARACTERS}")
    tint = tuple(COLOURS[name] for name in colours)
    return ScenePlan(
        setting=setting,
        subject=None if wished is None or _shown_by_setting(wished, setting) else wished.subject,
        subject_count=wished.count if wished else 0,
        subject_colour=wished.colour if wished else None,
        time=cast(TimeOfDay, time or _usual_time(setting, weather)),
        weather=cast(Weather, weather or "clear"),
        season=cast(Season, season or "summer"),
        camera=cast(CameraMove, camera or "drift"),
        viewpoint=viewpoint,
        planet=kind,
        ringed=ringed,
        speed=SPEEDS.get(speed or "", 1.0),
        colours=tint if tint or closeness > 0.1 else _tint_of(prompt),
        confidence=_confidence(closeness, bool(things or unplaced), reading),
        understood=tuple(understood),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _cast(asked: list[Wish], setting: Setting, viewpoint: Viewpoint) -> tuple[Wish | None, list[Wish]]:
    """The subject that will be drawn, and those that will not: one is drawn, where it has a place."""
    for wish in asked:
        if _shown_by_setting(wish, setting) or has_place(wish.subject, setting, viewpoint):
            return wish, [other for other in asked if other is not wish]
    return None, asked


def _unplaced_note(wish: Wish, setting: Setting, viewpoint: Viewpoint) -> str:
    fits = has_place(wish.subject, setting, viewpoint)
    return f"subject: {wish.text} ({'one subject is drawn' if fits else 'has no place here'})"


def _shown_by_setting(wish: Wish, setting: str) -> bool:
    """Whether the scene itself is the subject, as a campfire is."""
    return wish.subject == "campfire" and setting == "fire"


def _choose(reading: Reading, slot: str, hint_slot: str = "") -> tuple[str | None, list[str]]:
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


def _refuses(reading: Reading, slot: str) -> bool:
    return any(slot in mention.slots for mention in reading.refused)


def _from_above(reading: Reading) -> bool:
    """Tell whether an aerial view is asked for, be it beside another camera move."""
    return any("aerial" in mention.values("camera") for mention in reading.asked)


def _setting(
    place: Place | None, weather: str | None, time: str | None, season: str | None, reading: Reading
) -> tuple[Setting, float]:
    """Return the setting and how near it comes to what was asked, 0..1."""
    if place is not None:
        return place.setting, place.closeness if place.named else 0.7 * place.closeness
    for value in (weather, time, season):
        if value in _IMPLIED:
            return _IMPLIED[value]
    if any("colour" in mention.slots for mention in reading.asked):
        return "neon", 0.35
    return "neon", 0.1


def _misplaced(place: Place | None, found: list[Place], setting: Setting) -> list[str]:
    if place is None:
        return [f"place: none was recognised, so the scene is {setting}"]
    notes = []
    if place.named and place.closeness < _NEAR:
        notes = [f"place: {place.text}, drawn as {place.setting}"]
    return notes + [f"place: {other.text}" for other in found if _is_missing(other, place)]


def _is_missing(other: Place, place: Place) -> bool:
    """Tell whether a place named beside the chosen one does not show in its scene."""
    if other.text == place.text or not other.named:
        return False
    return other.setting != place.setting or PLACES[other.name][1] <= _FAR


def _colours(reading: Reading, wished: Wish | None) -> list[str]:
    """The colours asked of the scene: those that are not the subject's."""
    taken = wished.colour_mention if wished else None
    names = [name for mention in reading.asked if mention is not taken for name in mention.values("colour")]
    return list(dict.fromkeys(names))[:_MOST_COLOURS]


def _head_noun(reading: Reading) -> list[str]:
    """Guess the thing asked for among unknown words: a short run that something else follows.

    "A gryphon at night" has a gryphon; in "an azimuthal night" the unknown word only describes.
    """
    described = {mention.start for mention in reading.asked if not mention.slots <= NEUTRAL}
    for run in reading.unread:
        words = [token for token in run if not token.text.endswith(("ing", "ed", "ly"))][:_LONGEST_HEAD]
        describes = reading.tokens.index(run[-1]) + 1 in described and words[-1:] == run[-1:]
        if words and (run[0].is_cjk or not describes):
            return [_shortened(reading.text[words[0].start : words[-1].end])]
    return []


def _unread_note(reading: Reading, things: list[str]) -> list[str]:
    words = [reading.text[run[0].start : run[-1].end] for run in reading.unread]
    for thing in things:
        words = [word.removeprefix(thing).strip() for word in words]
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
    if weather in _GREY_WEATHER and setting not in _INDOOR:
        return "noon"
    return _USUAL_TIME[setting]


def _confidence(closeness: float, incomplete: bool, reading: Reading) -> float:
    """Closeness of the scene, less for a subject that is not drawn and for words not understood."""
    read = sum(1 for mention in reading.asked if not mention.slots <= NEUTRAL | {"shield"})
    coverage = read / (read + len(reading.unread)) if read else 0.0
    penalty = _SUBJECT_PENALTY if incomplete else 1.0
    return round(max(0.0, min(1.0, closeness * penalty * (0.6 + 0.4 * coverage))), 2)


def _tint_of(prompt: str) -> tuple[str, ...]:
    """Return three neighbouring hues drawn from the prompt's hash, as sRGB hex."""
    digest = hashlib.blake2b(prompt.encode("utf-8", "replace"), digest_size=2).digest()
    hue = int.from_bytes(digest, "little") / 65536

    def colour(shift: float) -> str:
        channels = colorsys.hsv_to_rgb((hue + shift) % 1.0, 0.8, 1.0)
        return "".join(f"{round(255 * channel):02x}" for channel in channels)

    return tuple(colour(shift) for shift in (0.0, 0.09, -0.12))
