"""Secrets are taken out in every form in which they travel; what is kept has a size."""

import base64
from urllib.parse import quote

import pytest

from meshapi_server.upstreams.adapter import Forged
from meshapi_server.upstreams.contract import Deferred, Rejected, TaskError, Unserved
from meshapi_server.upstreams.credentials import Credentials
from meshapi_server.upstreams.redaction import LARGEST_VALUE, LONGEST_TEXT, Redactor, UpstreamFault

SECRET = "sk/abc+def=0123456789"
REDACTOR = Redactor([SECRET])


@pytest.mark.parametrize(
    "form", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode(), SECRET * 2]
)
def test_a_secret_is_removed_in_each_form(form: str) -> None:
    safe = REDACTOR.text(f"you sent <{form}> there")
    assert SECRET not in safe
    assert form not in safe
    assert safe.startswith("you sent <[removed]")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
        "https://cdn.example/v.mp4?X-Tos-Signature=abcdefghijklmnopqrstuvwxyz&x=1",
        "https://cdn.example/v.mp4?_jwt=abcdefghijklmnopqrstuvwxyz",
        "data:image/png;base64,abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_looks_like_a_secret_is_removed_too(text: str) -> None:
    assert "abcdefghijklmnopqrstuvwxyz" not in REDACTOR.text(text)


def test_ordinary_words_stay() -> None:
    words = (
        "The prompt is longer than 2000 characters (param: prompt). See https://docs.example/limits?page=2"
    )
    assert REDACTOR.text(words) == words


def test_a_secret_that_the_cut_would_halve_is_gone_before() -> None:
    text = "x" * (LONGEST_TEXT - 10) + SECRET
    assert SECRET[:10] not in REDACTOR.text(text)


def test_values_are_cut_in_depth_length_and_number() -> None:
    deep: dict[str, object] = {}
    at = deep
    for _ in range(50):
        at["a"] = {}
        at = at["a"]  # type: ignore[assignment]
    safe = REDACTOR.value({"deep": deep, "many": list(range(1000)), "long": "y" * 9999, SECRET: 1})
    assert str(safe).count("'a'") < 10
    assert len(safe["many"]) == 20
    assert len(safe["long"]) == LONGEST_TEXT + 3
    assert "[removed]" in safe


def test_a_body_that_is_large_in_all_directions_is_kept_as_its_beginning() -> None:
    words = {f"k{number}": ["z" * 900] * 20 for number in range(20)}
    error = REDACTOR.error(TaskError(code="upstream_error", message="m", provider_error=words))
    assert error.provider_error is not None
    assert len(str(error.provider_error)) < LARGEST_VALUE
    assert list(error.provider_error) == ["beginning"]


def test_exceptions_keep_their_meaning_and_nothing_else() -> None:
    error = TaskError(code="invalid_input", message=f"no {SECRET}", provider_error={"you": SECRET})
    for fault in (Rejected(error), Unserved(error)):
        safe = REDACTOR.exception(fault)
        assert type(safe) is type(fault)
        assert SECRET not in repr(safe.error)  # type: ignore[attr-defined]
    deferred = REDACTOR.exception(Deferred(SECRET, 3.0, pause=True))
    assert isinstance(deferred, Deferred)
    assert (deferred.retry_after, deferred.pause, str(deferred)) == (3.0, True, "[removed]")
    assert isinstance(REDACTOR.exception(Forged("no")), Forged)
    other = REDACTOR.exception(ValueError(SECRET))
    assert isinstance(other, UpstreamFault)
    assert str(other) == "ValueError: [removed]"


def test_credentials_show_their_names_only() -> None:
    credentials = Credentials({"key": SECRET})
    assert repr(credentials) == str(credentials) == "Credentials(key)"
    assert SECRET not in f"{credentials.with_(token=SECRET)!r}"
