"""Requests, as the contract says they are written."""

import datetime
import json
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sdk_support.ambient import FakeAmbient
from sdk_support.vectors import cases

from meshapi import VideoContentItem, VideoGenerationParams, _paths, _retry_after
from meshapi._calls import Calls, list_query
from meshapi._exchange import Send
from meshapi._retry import RetryPolicy
from meshapi._service import Service
from meshapi._settings import Settings, normalise_base_url, resolve
from meshapi._usage import usage_query
from meshapi.errors import ConfigurationError, InvalidIdError, RequestTooLargeError


def _calls():
    return Calls(Settings("https://api.example", "rsk_test"), Service(), FakeAmbient().value())


def _first_send(exchange):
    command = next(exchange)
    assert isinstance(command, Send)
    return command.request


@pytest.mark.parametrize(("given", "want"), cases("request-encoding"))
def test_request_encoding_from_a_parameter_object(given, want):
    request = _first_send(_calls().create(VideoGenerationParams(**given["params"]), {})[1])
    assert json.loads(request.body) == want["body"]


@pytest.mark.parametrize(("given", "want"), cases("request-encoding"))
def test_request_encoding_from_keyword_arguments(given, want):
    request = _first_send(_calls().create(None, dict(given["params"]))[1])
    assert json.loads(request.body) == want["body"]


@pytest.mark.parametrize(
    ("given", "want"), [case for case in cases("content-items") if "items" in case.values[1]]
)
def test_every_item_the_server_accepts_can_be_expressed_and_is_sent_in_the_object_form(given, want):
    sent = VideoGenerationParams(model="m/x", content=given["content"]).to_wire()["content"]
    for item, normal in zip(sent, want["items"], strict=True):
        assert {name: normal.get(name) for name in item if name not in {"type", "role"}} == {
            name: value for name, value in item.items() if name not in {"type", "role"}
        }


@pytest.mark.parametrize(("given", "want"), cases("list-query"))
def test_list_query(given, want):
    query, _ = list_query(given["params"], {})
    assert [list(pair) for pair in query] == want["query"]


def _day(value):
    """A day of the contract as callers give it: text, or a moment."""
    return datetime.datetime.fromtimestamp(value, datetime.UTC) if isinstance(value, int) else value


@pytest.mark.parametrize(("given", "want"), cases("usage-query"))
def test_usage_query(given, want):
    params = given["params"]
    query = usage_query(_day(params.get("from")), _day(params.get("to")), params.get("by"))
    assert [list(pair) for pair in query] == want["query"]


def test_a_day_is_a_date_text_or_a_moment_anywhere_on_earth():
    kiritimati = datetime.timezone(datetime.timedelta(hours=14))
    morning = datetime.datetime(2026, 11, 21, 9, tzinfo=kiritimati)
    assert usage_query(datetime.date(2026, 11, 1), morning, None) == [
        ("from", "2026-11-01"),
        ("to", "2026-11-20"),
    ]
    assert usage_query(" 2026-11-01 ", None, ("key",)) == [("from", "2026-11-01"), ("by", "key")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("2026-13-01", None, None), "from is no day, '2026-13-01'"),
        (("yesterday", None, None), "expected a date or text such as '2026-11-21'"),
        ((None, 20261121, None), "to is no day, 20261121"),
        ((None, datetime.datetime(2026, 11, 21), None), "to is a datetime without a time zone"),  # noqa: DTZ001
        ((None, None, 7), "by is 7; expected 'day', 'key' or 'model'"),
        ((None, None, ["day", None]), "by is"),
        ((None, None, ""), "by is ''"),
    ],
)
def test_a_day_or_a_dimension_that_is_none_is_named_before_anything_is_sent(arguments, told):
    with pytest.raises(ConfigurationError, match=told):
        usage_query(*arguments)


@pytest.mark.parametrize(("given", "want"), cases("base-url"))
def test_base_url(given, want):
    if "error" in want:
        with pytest.raises(ConfigurationError):
            normalise_base_url(given["base_url"])
    else:
        assert normalise_base_url(given["base_url"]) + _paths.GENERATIONS == want["generations"]


@pytest.mark.parametrize(("given", "want"), cases("path-escaping"))
def test_path_escaping(given, want):
    make, value = (
        (_paths.generation, given["task_id"]) if "task_id" in given else (_paths.model, given["model_id"])
    )
    if "error" in want:
        with pytest.raises(InvalidIdError):
            make(value)
    else:
        assert make(value) == want["path"]


@pytest.mark.parametrize(("given", "want"), cases("retry-after"))
def test_retry_after(given, want):
    assert _retry_after.seconds(given["value"], given["now"]) == want["seconds"]


def test_a_create_carries_an_idempotency_key_of_its_own_each_time():
    keys = {
        _first_send(_calls().create(None, {"model": "m", "content": []})[1]).headers["Idempotency-Key"]
        for _ in range(9)
    }
    assert len(keys) == 9


def test_a_given_idempotency_key_is_used_and_a_malformed_one_refused():
    arguments = {"model": "m", "content": [], "idempotency_key": "order-17"}
    assert _first_send(_calls().create(None, arguments)[1]).headers["Idempotency-Key"] == "order-17"
    with pytest.raises(ConfigurationError, match="1 to 255 visible ASCII"):
        _calls().create(None, {**arguments, "idempotency_key": "two words"})


def test_extra_body_is_laid_over_the_parameters():
    arguments = {"model": "m", "content": [], "seed": 1, "extra_body": {"seed": 2, "new": [1]}}
    body = json.loads(_first_send(_calls().create(None, arguments)[1]).body)
    assert body == {"model": "m", "content": [], "seed": 2, "new": [1]}


def test_a_quote_has_the_body_of_the_create_and_not_its_key():
    arguments = {"model": "m", "content": [], "seed": 1, "extra_body": {"new": 1}, "idempotency_key": "k"}
    request = _first_send(_calls().quote(None, arguments))
    assert (request.method, request.url) == ("POST", "https://api.example/v1/video/quote")
    assert request.body == _first_send(_calls().create(None, arguments)[1]).body
    assert (request.repeat, "Idempotency-Key" in request.headers) == ("always", False)


def test_a_dry_run_is_refused_with_the_call_to_make_instead():
    with pytest.raises(ConfigurationError, match=r"call quote\(\) instead"):
        _calls().create({"model": "m", "content": [], "dry_run": True}, {})


@pytest.mark.parametrize(
    ("given", "sent"),
    [("0.50", "0.50"), (Decimal("0.50"), "0.50"), (Decimal("1E+1"), "10"), (0.5, 0.5), (2, 2)],
)
def test_the_most_a_task_may_cost_is_text_a_decimal_or_a_number(given, sent):
    body = _first_send(_calls().create(None, {"model": "m", "content": [], "max_cost_usd": given})[1]).body
    assert json.loads(body)["max_cost_usd"] == sent


def test_a_body_larger_than_servers_take_is_refused_before_it_is_sent():
    item = {"type": "image_url", "image_url": "data:image/png;base64," + "A" * (32 * 2**20)}
    with pytest.raises(RequestTooLargeError, match=r"32\.0 MiB, and servers take 32 MiB: nothing was sent"):
        _calls().create(None, {"model": "m", "content": [item]})


def test_a_parameter_object_and_keyword_parameters_together_are_refused():
    with pytest.raises(TypeError, match="not both"):
        _calls().create(VideoGenerationParams(model="m", content=[]), {"seed": 1})


def test_a_misspelt_option_is_refused():
    with pytest.raises(TypeError, match="timout"):
        _calls().retrieve("t", {"timout": 3})


def test_extra_query_and_headers_travel():
    options = {
        "extra_query": {"a": "1 2", "b": ["x", "y"]},
        "extra_headers": {"X-Trace": "7"},
        "timeout": 3.5,
    }
    request = _first_send(_calls().retrieve("t", options))
    assert request.url == "https://api.example/v1/video/generations/t?a=1%202&b=x&b=y"
    assert (request.headers["X-Trace"], request.timeout) == ("7", 3.5)


def test_a_header_with_a_line_break_is_refused():
    with pytest.raises(ConfigurationError, match="line break"):
        _calls().retrieve("t", {"extra_headers": {"X-Trace": "a\r\nX-Evil: b"}})


def test_a_datetime_without_a_zone_is_refused_and_one_with_a_zone_is_sent_in_utc():
    with pytest.raises(ValidationError, match="time zone"):
        list_query({"created_after": datetime.datetime(2026, 8, 1)}, {})  # noqa: DTZ001 - the very point
    zone = datetime.timezone(datetime.timedelta(hours=2))
    query, _ = list_query({"created_after": datetime.datetime(2026, 8, 1, 14, tzinfo=zone)}, {})
    assert query == [("created_after", "2026-08-01T12:00:00Z")]


def test_a_content_item_keeps_what_it_was_given():
    assert (
        VideoContentItem(type="image_url", image_url="https://a.example/1.png").image_url
        == "https://a.example/1.png"
    )


def _resolve(environment, **arguments):
    given = {
        "api_key": None,
        "token": None,
        "base_url": None,
        "timeout": 60.0,
        "max_retries": None,
        "retry": None,
    }
    return resolve(**{**given, **arguments}, environment=environment)


def test_arguments_come_before_the_environment_and_the_environment_before_the_default():
    environment = {"MESHAPI_API_KEY": "rsk_env", "MESHAPI_BASE_URL": "http://127.0.0.1:8080/v1/"}
    assert _resolve({}, token="rsk_arg").root == "https://api.meshapi.ai"
    assert _resolve(environment).root == "http://127.0.0.1:8080"
    assert _resolve(environment).api_key == "rsk_env"
    assert _resolve({"MESHAPI_TOKEN": "rsk_token"}).api_key == "rsk_token"
    assert _resolve(environment, api_key="rsk_arg", base_url="https://a.example").api_key == "rsk_arg"


def test_a_missing_key_says_where_it_could_come_from():
    with pytest.raises(ConfigurationError, match="MESHAPI_API_KEY"):
        _resolve({})


def test_a_malformed_key_is_refused_without_being_shown():
    with pytest.raises(ConfigurationError) as caught:
        _resolve({}, api_key="rsk_secret\nX-Evil: 1")
    assert "secret" not in str(caught.value)


def test_two_different_keys_are_refused():
    with pytest.raises(ConfigurationError, match="two names"):
        _resolve({}, api_key="rsk_a", token="rsk_b")


@pytest.mark.parametrize("value", [-1, True, "3", float("nan")])
def test_a_retry_policy_refuses_what_is_no_number(value):
    with pytest.raises(ConfigurationError, match="max_retries"):
        RetryPolicy(max_retries=value)


@pytest.mark.parametrize("value", [0, -1, True])
def test_a_timeout_must_be_positive(value):
    with pytest.raises(ConfigurationError, match="timeout"):
        _resolve({}, api_key="rsk_a", timeout=value)
