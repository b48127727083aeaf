"""Which upstreams are on follows from the environment alone."""

import pytest

from meshapi_server.app import Profile
from meshapi_server.settings import Settings
from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import Registration
from meshapi_server.upstreams.adapters import registrations
from meshapi_server.upstreams.enabled import UpstreamMisconfigured, enabled, is_on, variable
from meshapi_server.upstreams.openai_videos import OpenAIVideos

from .stub import Plain

BUILT_IN = registrations(published=())


def names(environment: dict[str, str]) -> list[str]:
    return [upstream.name for upstream in enabled(environment, system_clock, known=BUILT_IN)]


def test_an_upstream_is_on_when_its_key_is_there() -> None:
    assert names({}) == []
    assert names({"ARK_API_KEY": "k"}) == ["byteplus"]
    assert names({"BYTEPLUS_API_KEY": "k", "VOLCENGINE_API_KEY": "k"}) == ["byteplus", "volcengine"]
    assert names({"ARK_API_KEY": " \n"}) == []


def test_the_engines_are_on_when_their_url_is_there() -> None:
    assert names({"MESHAPI_OPENAI_VIDEOS_API_KEY": "k"}) == []
    (upstream,) = enabled({"MESHAPI_OPENAI_VIDEOS_BASE_URL": "http://a:1, http://b:2/v1"}, system_clock)
    assert isinstance(upstream.adapter, OpenAIVideos)
    assert upstream.adapter.engines == ("http://a:1/v1", "http://b:2/v1")


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_models_are_simulated_until_any_upstream_is_on(name: str) -> None:
    registration = BUILT_IN[name]
    needed = registration.needs[0] if registration.needs else tuple(registration.credentials)
    variables = {registration.credentials[each][0]: "k" for each in needed}
    if not registration.base_url:
        variables = {variable(name, "BASE_URL"): "http://host"}
    assert not Profile.of(Settings(), variables).simulate
    assert Profile.of(Settings(), dict.fromkeys(variables, "")).simulate
    assert Profile.of(Settings(simulate=True), variables).simulate


@pytest.mark.parametrize(
    "url", ["host", "ftp://host", "http://", "http://u:p@host", "http://host?x=1", "http://a,b"]
)
def test_a_base_url_that_cannot_be_one_is_refused_by_name(url: str) -> None:
    with pytest.raises(UpstreamMisconfigured, match="MESHAPI_BYTEPLUS_BASE_URL"):
        enabled({"ARK_API_KEY": "k", "MESHAPI_BYTEPLUS_BASE_URL": url}, system_clock, known=BUILT_IN)


def test_the_operator_sets_how_many_tasks_an_upstream_may_have() -> None:
    (upstream,) = enabled({"ARK_API_KEY": "k", "MESHAPI_BYTEPLUS_TASKS": "3"}, system_clock, known=BUILT_IN)
    assert upstream.limits.tasks == 3
    assert upstream.limits.submits is not None
    with pytest.raises(UpstreamMisconfigured, match="MESHAPI_BYTEPLUS_TASKS: 'many'"):
        enabled({"ARK_API_KEY": "k", "MESHAPI_BYTEPLUS_TASKS": "many"}, system_clock, known=BUILT_IN)


def test_one_complete_alternative_of_credentials_is_enough() -> None:
    registration = Registration(
        name="plain",
        build=lambda _: Plain(),
        credentials={"key": ("P_KEY",), "access": ("P_ACCESS",), "secret": ("P_SECRET",)},
        needs=(("key",), ("access", "secret")),
        base_url="http://host",
    )
    assert is_on(registration, {"P_KEY": "k"})
    assert is_on(registration, {"P_ACCESS": "a", "P_SECRET": "s"})
    assert not is_on(registration, {"P_ACCESS": "a"})


def test_options_and_the_base_url_in_force_reach_the_adapter() -> None:
    given: dict[str, str] = {}

    def build(options: object) -> Plain:
        given.update(options)  # type: ignore[call-overload]
        return Plain()

    registration = Registration(
        name="plain",
        build=build,
        credentials={"key": ("P_KEY",)},
        options={"region": ("P_REGION", "REGION"), "project": ("P_PROJECT",)},
        base_url="http://host",
    )
    environment = {"P_KEY": "k", "REGION": "eu", "MESHAPI_PLAIN_BASE_URL": "http://other"}
    enabled(environment, system_clock, known={"plain": registration})
    assert given == {"region": "eu", "base_url": "http://other"}
