"""The optional second opinion on a prompt's place: what it weighs, and how it stays out of the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import resources

import numpy as np
import pytest

from meshapi_renderer import meaning
from meshapi_renderer.lexicon import PLACES
from meshapi_renderer.meaning import ENCODER, encoder_version, example_sentences, learn, meaning_of
from meshapi_renderer.places import Place, best_place
from meshapi_renderer.plan import Setting
from meshapi_renderer.reading import read_prompt

_SETTINGS = {setting for setting, _ in PLACES.values()}
with_encoder = pytest.mark.skipif(
    encoder_version() is None, reason=f"the optional {ENCODER} is not installed"
)


def _place(setting: Setting, score: float, *, named: bool = True) -> Place:
    return Place(setting, setting, setting, 1.0, named, score)


class _OneWordEncoder:
    """Tells sentences apart by their setting's number in a fixed order: enough to learn a map from."""

    def __init__(self) -> None:
        examples = example_sentences()
        names = list(dict.fromkeys(setting for setting, _ in examples))
        self._number = {sentence: names.index(setting) for setting, sentence in examples}

    def encode(self, texts: Sequence[str]) -> object:
        vectors = np.zeros((len(texts), 512), np.float32)
        for row, text in enumerate(texts):
            vectors[row, self._number.get(text, 0)] = 1.0
        return vectors


def test_every_setting_has_as_many_example_sentences() -> None:
    counts = Counter(setting for setting, _ in example_sentences())
    assert set(counts) == _SETTINGS
    assert len(set(counts.values())) == 1
    assert len({sentence for _, sentence in example_sentences()}) == sum(counts.values())


def test_a_map_learnt_from_the_examples_sends_each_back_to_its_setting() -> None:
    encoder = _OneWordEncoder()
    settings, weights = learn(encoder)
    for setting, sentence in example_sentences():
        scores = np.asarray(encoder.encode([sentence]))[0] @ weights.astype(np.float32)
        assert settings[int(scores.argmax())] == setting


def test_without_the_encoder_there_is_no_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "encoder_version", lambda: None)
    assert meaning_of("A tarn under peaks") is None


def test_a_map_learnt_with_another_version_of_the_encoder_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(meaning, "encoder_version", lambda: "0.0.1")
    monkeypatch.setattr(meaning, "load_encoder", _OneWordEncoder)
    assert meaning_of("A tarn under peaks") is None


def test_a_text_without_letters_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("loaded for nothing")

    monkeypatch.setattr(meaning, "load_encoder", fail)
    assert meaning_of("... 42 !!") is None


def test_a_place_named_alone_needs_no_second_opinion() -> None:
    chosen = best_place([_place("lake", 1.0)], lambda: pytest.fail("asked for nothing"))
    assert chosen is not None
    assert chosen.setting == "lake"


def test_the_meaning_decides_between_suggestions() -> None:
    suggested = [_place("lake", 0.45, named=False), _place("ocean", 0.43, named=False)]
    assert (best_place(suggested) or suggested[1]).setting == "lake"
    assert (best_place(suggested, lambda: {"ocean": 0.5, "lake": 0.1}) or suggested[0]).setting == "ocean"


def test_the_meaning_alone_gives_a_place_of_less_closeness() -> None:
    chosen = best_place([], lambda: {"forest": 0.6, "lake": 0.2})
    assert chosen is not None
    assert (chosen.setting, chosen.named) == ("forest", False)
    assert chosen.closeness < 1.0


@with_encoder
@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("Granite walls doubled in a silent tarn", "lake"),
        ("Las brasas respiran y las pavesas suben en la noche", "fire"),
        ("Ein Sattelschlepper voller Sterne und fremder Welten", "space"),
    ],
)
def test_the_encoder_finds_the_setting_of_sentences_without_known_words(prompt: str, setting: str) -> None:
    shares = meaning_of(prompt)
    assert shares is not None
    assert max(shares, key=lambda name: shares[name]) == setting


@with_encoder
def test_the_stored_map_is_what_the_encoder_learns_from_the_sentences() -> None:
    encoder = meaning.load_encoder()
    assert encoder is not None
    settings, weights = learn(encoder)
    with resources.as_file(resources.files("meshapi_renderer") / "words" / "meaning.npz") as path:
        stored = np.load(path)
    assert list(stored["settings"]) == settings
    assert np.allclose(stored["weights"].astype(np.float32), weights.astype(np.float32), atol=2e-3)


def test_reading_works_the_same_way_where_no_place_is_known() -> None:
    assert read_prompt("qwertz").confidence <= 0.15
