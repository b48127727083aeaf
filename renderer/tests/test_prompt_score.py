"""The prompt reader over two hundred prompts written before it was tuned."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from meshapi_renderer.lexicon import PLACES
from meshapi_renderer.meaning import ENCODER, encoder_version
from meshapi_renderer.prompt_score import Prompt, Score, load_prompts, main, score

_FOLDER = Path(__file__).parent / "prompts"
_HALVES = {name: load_prompts(_FOLDER / f"{name}.toml") for name in ("tuned", "held_out")}


def test_there_are_two_halves_of_a_hundred_different_prompts_over_all_sixteen_settings() -> None:
    texts = [prompt.text for half in _HALVES.values() for prompt in half]
    assert len(texts) == len(set(texts)) == 200
    for half in _HALVES.values():
        settings = Counter(prompt.setting for prompt in half)
        assert set(settings) == {setting for setting, _ in PLACES.values()}
        assert min(settings.values()) >= 5
        assert len({prompt.language for prompt in half}) == 10
        assert 40 <= sum(not prompt.keyword for prompt in half) <= 60


@pytest.mark.parametrize("half", _HALVES)
def test_the_setting_is_right_in_85_of_100_prompts_and_in_75_of_100_without_keywords(half: str) -> None:
    """By the words of the lexicon alone; the figures are printed for the record."""
    scores = score(_HALVES[half])
    print(f"{half}: {scores['all']}, without keywords {scores['without keywords']}")
    assert scores["all"].share >= 0.85
    assert scores["without keywords"].share >= 0.75


@pytest.mark.skipif(encoder_version() is None, reason=f"the optional {ENCODER} is not installed")
def test_with_the_sentence_encoder_the_held_out_half_reads_no_worse() -> None:
    scores = score(_HALVES["held_out"])
    assert scores["all"].share >= 0.85
    assert scores["without keywords"].share >= 0.75


def test_a_misread_prompt_counts_as_one() -> None:
    prompts = [
        Prompt("A lake", "lake", "en", keyword=True),
        Prompt("A lake", "dunes", "en", keyword=False),
    ]
    scores = score(prompts)
    assert scores["all"] == Score(1, 2)
    assert scores["with a keyword"] == Score(1, 1)
    assert scores["without keywords"] == Score(0, 1)


def test_the_report_names_every_file_and_the_misses_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'prompts = [{ text = "A lake", setting = "dunes", language = "en", keyword = true }]', "utf-8"
    )
    assert main([str(path), "--misses"]) == 0
    report = capsys.readouterr().out
    assert "mine.toml" in report
    assert "0 of 1 (0 %)" in report
    assert "lake for dunes: A lake" in report


def test_a_prompt_without_a_field_is_refused_by_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('prompts = [{ text = "A lake", setting = "lake", language = "en" }]', "utf-8")
    with pytest.raises(ValueError, match=r"bad\.toml.*keyword"):
        load_prompts(path)
    path.write_text("prompts = [", "utf-8")
    with pytest.raises(tomllib.TOMLDecodeError):
        load_prompts(path)
