"""The lexicon files: complete, consistent, and matched as they promise."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from meshapi_renderer.lexicon import (
    COLOURS,
    FEATURES,
    HOMES,
    PLACES,
    PLANETS,
    SEVERAL,
    SPEEDS,
    TONES,
    Lexicon,
    lexicon,
    normalise,
    tokenise,
)
from meshapi_renderer.plan import CAMERA_MOVES, SEASONS, SETTINGS, SUBJECTS, TIMES, WEATHERS

_FILES = sorted(
    (
        entry
        for entry in (resources.files("meshapi_renderer") / "words").iterdir()
        if entry.name.endswith(".toml")
    ),
    key=lambda entry: entry.name,
)
_VALUES: dict[str, set[str]] = {
    "place": set(PLACES),
    "hint": set(PLACES),
    "time": set(TIMES),
    "time_hint": set(TIMES),
    "weather": set(WEATHERS),
    "season": set(SEASONS),
    "planet": set(PLANETS),
    "camera": set(CAMERA_MOVES),
    "speed": set(SPEEDS),
    "colour": set(COLOURS),
    "tone": set(TONES),
    "subject": {*SUBJECTS, "other"},
    "several": set(SUBJECTS),
    "count": {str(number) for number in range(1, 10)},
    "style": {"words"},
    "idle": {"words"},
    "shield": {"words"},
    "cue": {"inside", "aside", "aside_after", "not", "not_after"},
}


_ALL_SETTINGS = {setting for setting, _ in PLACES.values()}


def _found(prompt: str) -> list[str]:
    text = normalise(prompt)
    return [mention.text for mention in lexicon().mentions(text, tokenise(text))]


@pytest.mark.parametrize("entry", _FILES, ids=lambda entry: entry.name)
def test_every_language_uses_known_slots_and_values_and_names_all_scenes(
    entry: resources.abc.Traversable,
) -> None:
    words = tomllib.loads(entry.read_text(encoding="utf-8"))
    assert set(words) <= set(_VALUES)
    for slot, values in words.items():
        assert set(values) <= _VALUES[slot], slot
        assert all(phrase.strip() == phrase and phrase for phrases in values.values() for phrase in phrases)
    assert set(words["place"]) >= _ALL_SETTINGS
    assert set(SUBJECTS) <= set(words["subject"])
    assert {"sunrise", "noon", "sunset", "night"} <= set(words["time"])
    assert {"clear", "storm", "rain", "snow", "fog"} <= set(words["weather"])
    assert set(words["season"]) == set(SEASONS)


@pytest.mark.parametrize("entry", _FILES, ids=lambda entry: entry.name)
def test_within_a_language_a_phrase_has_one_value_per_slot(entry: resources.abc.Traversable) -> None:
    words = tomllib.loads(entry.read_text(encoding="utf-8"))
    for slot, values in words.items():
        if slot == "cue":
            continue
        phrases = [phrase for phrases in values.values() for phrase in set(phrases)]
        doubled = {phrase for phrase in phrases if phrases.count(phrase) > 1}
        assert not doubled, slot


def test_the_places_lead_to_all_sixteen_settings_and_to_no_other() -> None:
    assert len(SETTINGS) == 16
    assert set(SETTINGS) == _ALL_SETTINGS
    assert all(PLACES[setting] == (setting, 1.0) for setting in SETTINGS)


def test_every_subject_has_a_home_and_a_plural() -> None:
    assert set(HOMES) == set(SEVERAL) == set(SUBJECTS)
    assert {home for home, _ in HOMES.values()} <= _ALL_SETTINGS
    assert set(PLACES) >= FEATURES


def test_ten_languages_are_there() -> None:
    assert lexicon().languages == ("de", "en", "es", "fr", "it", "ja", "ko", "pt", "ru", "zh")


def test_the_longest_phrase_wins() -> None:
    assert _found("sea of clouds") == ["sea of clouds"]
    assert _found("雪山") == ["雪山"]


def test_words_match_whole_and_without_regard_to_case_accents_or_hyphens() -> None:
    assert _found("Beachcomber") == []
    assert _found("FORÊT") == ["FORÊT"]
    assert _found("foret") == ["foret"]
    assert _found("Time-Lapse") == ["Time-Lapse"]


def test_katakana_words_are_not_cut() -> None:
    assert _found("ビル") == ["ビル"]
    assert _found("ビルマ") == []


def test_full_width_letters_are_read_as_plain_ones() -> None:
    assert _found("ｌａｋｅ") == ["lake"]


def test_a_starred_word_matches_any_ending() -> None:
    stems = Lexicon({"xx": {"place": {"lake": ["озер*"]}}})
    text = "озером"
    assert [mention.values("place") for mention in stems.mentions(text, tokenise(text))] == [("lake",)]
