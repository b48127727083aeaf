"""The prompt reader: what it understands, what it admits it leaves out, and how sure it is."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshapi_renderer.plan import (
    CAMERA_MOVES,
    SEASONS,
    SETTINGS,
    TIMES,
    WEATHERS,
    ScenePlan,
)
from meshapi_renderer.reading import READ_CHARACTERS, read_prompt


@pytest.mark.parametrize(
    ("prompt", "setting", "time"),
    [
        ("A serene mountain lake at sunrise", "lake", "sunrise"),
        ("A futuristic city at night", "city", "night"),
    ],
)
def test_the_two_published_example_prompts_are_read_completely(prompt: str, setting: str, time: str) -> None:
    plan = read_prompt(prompt)
    assert (plan.setting, plan.time, plan.weather) == (setting, time, "clear")
    assert plan.confidence == 1.0
    assert plan.left_out == ()
    assert plan.subject is None


@pytest.mark.parametrize(
    ("prompt", "setting", "time"),
    [
        ("Un lago de montaña al amanecer", "lake", "sunrise"),
        ("un lago de montana al amanecer", "lake", "sunrise"),
        ("Un lac de montagne au lever du soleil", "lake", "sunrise"),
        ("Ein stiller Bergsee bei Sonnenaufgang", "lake", "sunrise"),
        ("Um lago de montanha ao nascer do sol", "lake", "sunrise"),
        ("Un lago di montagna all'alba", "lake", "sunrise"),
        ("Горное озеро на рассвете", "lake", "sunrise"),
        ("宁静的高山湖泊日出", "lake", "sunrise"),
        ("寧靜的高山湖泊日出", "lake", "sunrise"),
        ("静かな山の湖、日の出", "lake", "sunrise"),
        ("고요한 산속 호수의 일출", "lake", "sunrise"),
        ("Una ciudad futurista de noche", "city", "night"),
        ("Une ville futuriste la nuit", "city", "night"),
        ("Eine futuristische Stadt bei Nacht", "city", "night"),
        ("未来城市的夜景,霓虹灯", "city", "night"),
        ("東京の夜景", "city", "night"),
        ("미래 도시의 밤", "city", "night"),
        ("Пустыня под звёздным небом", "dunes", "night"),
        ("星空下的沙漠", "dunes", "night"),
        ("夕日の海", "ocean", "sunset"),
        ("Una playa tropical al mediodía", "beach", "noon"),
        ("Desert dunes under a starry sky", "dunes", "night"),
        ("abstract neon waves", "neon", "night"),
        ("Glass high-rises glittering after dark", "city", "night"),
        ("The Matterhorn as the first rays touch it", "lake", "sunrise"),
    ],
)
def test_place_and_time_are_read_in_ten_languages(prompt: str, setting: str, time: str) -> None:
    plan = read_prompt(prompt)
    assert (plan.setting, plan.time) == (setting, time)


@pytest.mark.parametrize(
    ("prompt", "weather", "season"),
    [
        ("Snow falling in a pine forest", "snow", "winter"),
        ("松林里下着雪", "snow", "winter"),
        ("a snow-covered forest", "clear", "winter"),
        ("Une forêt enneigée", "clear", "winter"),
        ("a foggy forest in autumn", "fog", "autumn"),
        ("A ship in a thunderstorm", "storm", "summer"),
        ("cherry blossoms in the rain", "rain", "spring"),
        ("an overcast beach", "overcast", "summer"),
        ("no clouds over the desert", "clear", "summer"),
        ("a desert without rain", "clear", "summer"),
    ],
)
def test_weather_and_season_are_separate_slots(prompt: str, weather: str, season: str) -> None:
    plan = read_prompt(prompt)
    assert (plan.weather, plan.season) == (weather, season)


@pytest.mark.parametrize(
    ("prompt", "kind", "ringed"),
    [
        ("Saturn with its rings", "giant", True),
        ("Saturn und seine Ringe", "giant", True),
        ("土星の輪", "giant", True),
        ("Jupiter among the stars", "giant", False),
        ("Earth from space at night", "earth", False),
        ("Земля из космоса", "earth", False),
        ("a red planet in outer space", "desert", False),
        ("해왕성", "ice_giant", False),
        ("a nebula in deep space", None, None),
    ],
)
def test_a_planet_is_read_by_its_name(prompt: str, kind: str | None, ringed: bool | None) -> None:
    plan = read_prompt(prompt)
    assert (plan.setting, plan.planet, plan.ringed) == ("space", kind, ringed)
    assert not [note for note in plan.left_out if note.startswith("place:")]


def test_only_space_shows_planets() -> None:
    plan = read_prompt("Mars, endless red sand")
    assert (plan.setting, plan.planet) == ("dunes", None)
    assert plan.left_out == ("place: Mars, drawn as dunes",)


def test_rain_does_not_displace_the_night() -> None:
    plan = read_prompt("Rainy street in Tokyo at night")
    assert (plan.setting, plan.time, plan.weather) == ("city", "night", "rain")


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("A city by the sea", "city"),
        ("A beach with a city behind it", "beach"),
        ("A tree in the desert", "dunes"),
        ("湖边的城市", "city"),
        ("城市边的湖", "lake"),
        ("雪山环绕的湖泊", "lake"),
        ("高層ビルのない砂漠", "dunes"),
        ("no people, just a city", "city"),
        ("a city with no trees", "city"),
        ("Um barco no lago", "lake"),
    ],
)
def test_the_head_noun_decides_the_place_not_what_lies_around_it(prompt: str, setting: str) -> None:
    assert read_prompt(prompt).setting == setting


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("a harbour", "city"),
        ("a lush jungle", "forest"),
        ("a canyon", "dunes"),
    ],
)
def test_a_place_without_a_scene_is_drawn_as_its_nearest_and_the_plan_says_so(
    prompt: str, setting: str
) -> None:
    plan = read_prompt(prompt)
    assert plan.setting == setting
    assert 0.3 < plan.confidence < 0.8
    assert any(note.startswith("place:") and f"drawn as {setting}" in note for note in plan.left_out)


def test_a_subject_that_cannot_be_drawn_is_named_and_admitted_to_be_left_out() -> None:
    plan = read_prompt("A dragon over a forest in autumn")
    assert plan.setting == "forest"
    assert plan.subject is None
    assert "subject: dragon" in plan.left_out
    assert plan.confidence < 0.7


@pytest.mark.parametrize(
    ("prompt", "setting", "subject", "count"),
    [
        ("A sailboat on a mountain lake at sunset", "lake", "sailboat", 1),
        ("two sailboats on a lake", "lake", "sailboat", 2),
        ("hot air balloons over the desert", "dunes", "balloon", 6),
        ("Ein Heißluftballon über den Wolken", "sky", "balloon", 1),
        ("una bandada de pájaros sobre el lago", "lake", "birds", 13),
        ("a steam train crossing the desert", "dunes", "train", 1),
        ("森の中の三匹の犬", "forest", "dog", 0),
        ("Кошка в лесу", "forest", "cat", 1),
        ("a man walking in the forest", "forest", "person", 1),
        ("a campfire in the dunes at night", "fire", None, 1),
    ],
)
def test_a_subject_is_read_with_its_number_in_any_language(
    prompt: str, setting: str, subject: str | None, count: int
) -> None:
    plan = read_prompt(prompt)
    assert (plan.setting, plan.subject) == (setting, subject)
    if count:
        assert plan.subject_count == count
    assert any(note.startswith("subject:") for note in plan.understood)
    assert not any(note.startswith("subject:") for note in plan.left_out)


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("a black cat in a forest", "1b1b1e"),
        ("a red car in the desert", "e5383b"),
        ("un gato negro en el bosque", "1b1b1e"),
        ("a cat in a forest", None),
    ],
)
def test_a_colour_beside_a_subject_is_the_subjects_not_the_scenes(prompt: str, colour: str | None) -> None:
    plan = read_prompt(prompt)
    assert plan.subject_colour == colour
    assert plan.colours == ()


def test_a_subject_without_a_place_in_the_setting_is_left_out_and_the_plan_says_why() -> None:
    plan = read_prompt("a sailboat in the desert")
    assert (plan.setting, plan.subject) == ("dunes", None)
    assert "subject: sailboat (has no place here)" in plan.left_out


def test_of_two_subjects_one_is_drawn_and_the_other_is_admitted() -> None:
    plan = read_prompt("a cat and a dog in a forest")
    assert plan.subject == "cat"
    assert "subject: dog (one subject is drawn)" in plan.left_out


def test_a_subject_alone_is_shown_where_it_is_at_home() -> None:
    assert read_prompt("a school of fish").setting == "underwater"
    assert read_prompt("a rocket").setting == "space"


def test_an_unknown_thing_becomes_the_admitted_subject_of_an_abstract_picture() -> None:
    plan = read_prompt("A xylophone spinning slowly")
    assert plan.setting == "neon"
    assert plan.subject is None
    assert "subject: xylophone" in plan.left_out
    assert plan.speed == 0.5
    assert plan.confidence <= 0.1
    assert "place: none was recognised, so the scene is neon" in plan.left_out
    assert "not read: spinning" in plan.left_out


def test_short_words_that_only_look_foreign_are_not_read() -> None:
    assert not any(
        "close" in note for note in read_prompt("a very close view of a lake at dawn in the rain").understood
    )
    assert read_prompt("the lake all over the place in the morning mist").setting == "lake"


def test_unknown_prompts_are_tinted_by_the_prompt() -> None:
    first, second = read_prompt("qwertz"), read_prompt("asdfgh")
    assert first.setting == second.setting == "neon"
    assert len(first.colours) == 3
    assert first.colours != second.colours
    assert first.colours == read_prompt("qwertz").colours


def test_wished_colours_come_in_the_order_of_the_prompt() -> None:
    plan = read_prompt("Purple and cyan neon ribbons")
    assert plan.colours == ("8b3dff", "22d3ee")


def test_ordinary_pairs_such_as_a_blue_sky_are_no_colour_wish() -> None:
    assert read_prompt("a beach under a blue sky").colours == ()


@pytest.mark.parametrize(
    ("prompt", "camera", "speed"),
    [
        ("a lake, camera slowly pushes in", "push", 0.5),
        ("a lake, zoom out", "pull", 1.0),
        ("a lake, pan left", "pan_left", 1.0),
        ("a time-lapse of a city", "drift", 1.6),
        ("沙漠,环绕拍摄", "orbit", 1.0),
        ("Ein Wald, feste Kamera", "fixed", 1.0),
        ("ビーチ、固定カメラ", "fixed", 1.0),
        ("a city, static shot", "fixed", 1.0),
        ("a serene lake", "drift", 0.8),
    ],
)
def test_camera_and_pace_are_read(prompt: str, camera: str, speed: float) -> None:
    plan = read_prompt(prompt)
    assert (plan.camera, plan.speed) == (camera, speed)


def test_a_style_that_cannot_be_drawn_is_left_out() -> None:
    assert "style: anime style" in read_prompt("a city at night, anime style").left_out


def test_a_second_time_of_day_is_left_out() -> None:
    plan = read_prompt("a city from sunset to night")
    assert plan.time == "sunset"
    assert "also time: night" in plan.left_out


def test_an_impossible_prompt_never_breaks_the_reader() -> None:
    for prompt in ("", " ", "🎉🎉", "\0\ud800", "-" * 100, "的" * 300, "\n\t", "'s", "...!"):
        assert read_prompt(prompt).setting == "neon"


def test_a_very_long_prompt_is_read_up_to_a_limit_that_is_named() -> None:
    plan = read_prompt("word " * 2000 + "a lake")
    assert f"everything after character {READ_CHARACTERS}" in plan.left_out
    assert plan.setting == "neon"
    assert all(len(note) < 700 for note in plan.left_out)


@given(st.text(max_size=120))
def test_any_text_gives_a_valid_plan_and_always_the_same(prompt: str) -> None:
    plan = read_prompt(prompt)
    assert plan == read_prompt(prompt)
    assert plan.setting in SETTINGS
    assert plan.time in TIMES
    assert plan.weather in WEATHERS
    assert plan.season in SEASONS
    assert plan.camera in CAMERA_MOVES
    assert 0.0 <= plan.confidence <= 1.0
    assert all(len(colour) == 6 and int(colour, 16) >= 0 for colour in plan.colours)


def test_a_plan_becomes_json_values_with_every_field() -> None:
    values = read_prompt("a red city").to_json()
    assert set(values) == {field.name for field in dataclasses.fields(ScenePlan)}
    assert values["colours"] == ["e5383b"]
