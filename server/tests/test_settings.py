"""Settings: which of them wins, what is refused and how, and that the operator's page knows them all."""

from pathlib import Path
from typing import Any

import pytest

from meshapi_server.settings import Settings, SettingsInvalid, load

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "README.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "meshapi.toml"
    path.write_text(text)
    return path


def test_a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "[server]\nlease = 40\ntick = 0.5\nport = 1\n")
    found = load({"port": 3}, {"MESHAPI_PORT": "2", "MESHAPI_TICK": "0.75"}, file)
    assert (found.port, found.tick, found.lease, found.renders) == (3, 0.75, 40.0, 0)


def test_the_database_is_a_file_in_the_data_directory_unless_it_is_named(tmp_path: Path) -> None:
    embedded = load({"data": str(tmp_path)}, {}, written(tmp_path, ""))
    assert embedded.database_url == f"sqlite:///{tmp_path}/meshapi.db"
    named = load({}, {"MESHAPI_DATABASE_URL": "postgresql://db/mesh"}, written(tmp_path, ""))
    assert named.database_url == "postgresql://db/mesh"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"port": 70_000}, "port: 70000"),
        ({"lease": 0.5}, "lease"),
        ({"role": "both"}, "role: 'both'; use all, api, worker"),
        ({"submits_at_once": 0}, "1 or more"),
        ({"reconcile_within": 0.1}, "reconcile_within"),
        ({"cny_per_usd": "-7"}, "cny_per_usd"),
        ({"log_level": "loud"}, "log_level"),
        ({"wings": 2}, "wings"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_value(
    tmp_path: Path, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsInvalid, match=words):
        load(values, {}, written(tmp_path, ""))


def test_a_strange_section_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"\[serve\] is not known"):
        load({}, {}, written(tmp_path, "[serve]\nport = 1\n"))


def test_routes_are_read_from_the_file(tmp_path: Path) -> None:
    text = '[routes."team/video"]\nmodels = ["google/veo-3.1", "fal/veo-3.1"]\nby = "price"\n'
    (route,) = load({}, {}, written(tmp_path, text)).routes.values()
    assert (route.models, route.by) == (("google/veo-3.1", "fal/veo-3.1"), "price")


@pytest.mark.parametrize("text", ["models = []", 'models = ["a/b"]\nby = "luck"', 'model = "a/b"'])
def test_a_route_that_says_nothing_usable_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid):
        load({}, {}, written(tmp_path, f'[routes."team/video"]\n{text}\n'))


def test_a_folder_of_cards_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = load({}, {"MESHAPI_CARDS": str(tmp_path / "none")}, written(tmp_path, ""))
    with pytest.raises(SettingsInvalid, match="there is no folder"):
        found.card_files  # noqa: B018 - reading it is the test


def test_the_operators_page_tells_of_every_setting() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name in Settings.__struct_fields__ if f"`{name}`" not in page] == []
