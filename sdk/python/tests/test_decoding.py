"""Answers, as the contract says they are read."""

import json

import pytest
from pydantic import BaseModel
from sdk_support.vectors import at_least, cases

from meshapi import errors
from meshapi._decoding import created, decoded
from meshapi._error_decoding import error_from
from meshapi._exchange import Answer
from meshapi.types import (
    CreateVideoGenerationResponse,
    Quote,
    TaskEvent,
    TaskEventList,
    Timeline,
    TimelineEntry,
    UsageEntry,
    UsageFigures,
    UsageReport,
    VideoTaskList,
    VideoTaskResponse,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

KINDS = {
    "bad_request": errors.BadRequestError,
    "unauthorized": errors.AuthenticationError,
    "spend_limit": errors.SpendLimitError,
    "forbidden": errors.PermissionDeniedError,
    "not_found": errors.NotFoundError,
    "conflict": errors.ConflictError,
    "request_too_large": errors.RequestTooLargeError,
    "unprocessable": errors.UnprocessableEntityError,
    "rate_limited": errors.RateLimitError,
    "server_error": errors.InternalServerError,
    "upstream_failed": errors.UpstreamError,
    "unavailable": errors.ServiceUnavailableError,
    "gateway_timeout": errors.GatewayTimeoutError,
    "other": errors.APIStatusError,
}


def _seen(task):
    """A task in the words of the contract."""
    seen = {name: getattr(task, name) for name in type(task).model_fields}
    seen["terminal"] = task.is_terminal
    seen["video_url"], seen["last_frame_url"] = task.video_url, task.last_frame_url
    if task.content is not None:
        seen["content"] = [{"type": item.type, "url": item.url} for item in task.content]
    if task.error is not None:
        seen["error"] = {"code": task.error.code, "message": task.error.message}
    if task.usage is not None:
        seen["usage"] = {name: getattr(task.usage, name) for name in ("completion_tokens", "total_tokens")}
    return seen


@pytest.mark.parametrize(("given", "want"), cases("task-decoding"))
def test_task_decoding(given, want):
    answer = Answer(200, {}, json.dumps(given["body"]).encode())
    if "undecodable" in want:
        with pytest.raises(errors.ResponseDecodingError):
            decoded(CreateVideoGenerationResponse, answer)
        return
    task = decoded(CreateVideoGenerationResponse, answer)
    assert at_least(_seen(task), want) == want


@pytest.mark.parametrize(("given", "want"), cases("error-decoding"))
def test_error_decoding(given, want):
    headers = {name.lower(): value for name, value in given["headers"].items()}
    error = error_from(Answer(given["status"], headers, given["body"].encode()), given.get("now", 0.0))
    assert type(error) is KINDS[want["kind"]]
    assert {
        "kind": want["kind"],
        "status": error.status,
        "code": error.error_code,
        "message": str(error),
        "request_id": error.request_id,
        "details": error.details,
        "provider_error": error.provider_error,
        "retry_after_seconds": error.retry_after_seconds,
    } == want


@pytest.mark.parametrize(("given", "want"), cases("quote-decoding"))
def test_quote_decoding(given, want):
    answer = Answer(200, {"x-request-id": "req_1"}, json.dumps(given["body"]).encode())
    if "undecodable" in want:
        with pytest.raises(errors.ResponseDecodingError):
            decoded(Quote, answer)
        return
    quote = decoded(Quote, answer)
    seen = {name: getattr(quote, name) for name in Quote.model_fields}
    seen["lines"] = [
        {name: getattr(line, name) for name in ("item", "quantity", "unit", "unit_price_usd", "cost_usd")}
        for line in quote.lines
    ]
    assert at_least(seen, want) == want
    assert quote.request_id == "req_1"


@pytest.mark.parametrize(("given", "want"), cases("timeline-decoding"))
def test_timeline_decoding(given, want):
    answer = Answer(200, {"x-request-id": "req_1"}, json.dumps(given["body"]).encode())
    if "undecodable" in want:
        with pytest.raises(errors.ResponseDecodingError):
            decoded(Timeline, answer)
        return
    timeline = decoded(Timeline, answer)
    rows = [{name: getattr(row, name) for name in TimelineEntry.model_fields} for row in timeline]
    assert at_least({"id": timeline.id, "data": rows}, want) == want
    assert timeline.request_id == "req_1"


@pytest.mark.parametrize(("given", "want"), cases("usage-decoding"))
def test_usage_decoding(given, want):
    answer = Answer(200, {"x-request-id": "req_1"}, json.dumps(given["body"]).encode())
    if "undecodable" in want:
        with pytest.raises(errors.ResponseDecodingError):
            decoded(UsageReport, answer)
        return
    report = decoded(UsageReport, answer)
    seen = {
        "from": report.from_,
        "to": report.to,
        "data": [{name: getattr(entry, name) for name in UsageEntry.model_fields} for entry in report],
        "total": {name: getattr(report.total, name) for name in UsageFigures.model_fields},
    }
    assert at_least(seen, want) == want
    assert report.request_id == "req_1"


def _members(value, **otherwise):
    """The members of a value in the words of the contract."""
    return {name: getattr(value, name) for name in type(value).model_fields} | otherwise


def _kept(value):
    """What the server keeps of callbacks, in the words of the contract."""
    if isinstance(value, WebhookDelivery):
        return _members(value, attempts=[_members(each) for each in value.attempts])
    if isinstance(value, TaskEventList):
        return _members(value, data=[_kept(each) for each in value])
    if isinstance(value, TaskEvent):
        return _members(value, task=value.task.id if value.task else None)
    return _members(value)


@pytest.mark.parametrize(("given", "want"), cases("webhook-decoding"))
def test_webhook_decoding(given, want):
    kinds = {
        "endpoint": WebhookEndpoint,
        "delivery": WebhookDelivery,
        "events": TaskEventList,
        "secret": WebhookSecret,
    }
    answer = Answer(200, {"x-request-id": "req_1"}, json.dumps(given["body"]).encode())
    if "undecodable" in want:
        with pytest.raises(errors.ResponseDecodingError):
            decoded(kinds[given["answer"]], answer)
        return
    value = decoded(kinds[given["answer"]], answer)
    assert at_least(_kept(value), want) == want
    assert value.request_id == "req_1"
    assert {type(each) for each in getattr(value, "attempts", [])} <= {WebhookAttempt}


def test_a_usage_report_is_true_without_entries_and_survives_being_stored():
    report = UsageReport.model_validate(
        {"from": "2026-11-01", "data": [{"model": "m/x", "tasks": 2, "new": 1}], "total": {"cost_usd": "0.5"}}
    )
    assert (len(report), bool(UsageReport()), list(UsageReport())) == (1, True, [])
    for by_alias in (False, True):
        again = UsageReport.model_validate_json(report.model_dump_json(by_alias=by_alias))
        assert (again, again.from_, again.data[0].model_extra) == (report, "2026-11-01", {"new": 1})


def test_a_timeline_is_iterated_by_its_entries_and_is_true_without_any():
    timeline = Timeline.model_validate(
        {"id": "t", "data": [{"kind": "poll", "started_at": 1.5, "ended_at": 4}, {"kind": "new"}]}
    )
    assert [(entry.kind, entry.seconds) for entry in timeline] == [("poll", 2.5), ("new", None)]
    assert (len(timeline), bool(Timeline()), list(Timeline())) == (2, True, [])
    assert Timeline.model_validate_json(timeline.model_dump_json()) == timeline


def test_a_create_that_names_no_task_may_have_made_one():
    for body in (b"{}", b"<html>", b"[]"):
        with pytest.raises(errors.ResponseDecodingError, match="task may exist") as caught:
            created(Answer(200, {}, body), "key-1")
        assert (caught.value.task_may_exist, caught.value.idempotency_key) == (True, "key-1")


def test_content_offers_its_urls_by_name_and_by_iteration():
    task = VideoTaskResponse.model_validate({"id": "t", "content": {"video_url": "u", "last_frame_url": "f"}})
    assert [item.url for item in task.content if item.type == "video_url"] == ["u"]
    assert (task.content.video_url, task.content.last_frame_url) == ("u", "f")


def test_a_task_survives_being_stored_as_json_and_read_again():
    task = VideoTaskResponse.model_validate(
        {"id": "t", "status": "succeeded", "content": [{"type": "video_url", "url": "u"}], "eta": {"s": 1}}
    )
    again = VideoTaskResponse.model_validate_json(task.model_dump_json())
    assert again == task
    assert again.model_extra == {"eta": {"s": 1}}


def test_a_task_is_as_forgiving_inside_a_users_own_model():
    class Shot(BaseModel):
        take: int
        task: VideoTaskResponse

    shot = Shot.model_validate(
        {"take": 1, "task": {"id": "t", "status": None, "seed": "x", "created_at": "2026-08-01T12:00:00Z"}}
    )
    assert (shot.task.status, shot.task.seed, shot.task.created_at) == ("", None, 1785585600)


def test_the_json_schema_of_a_task_can_be_made():
    assert "content" in VideoTaskResponse.model_json_schema()["properties"]


def test_one_odd_row_does_not_cost_the_page():
    body = {"data": [{"id": "a", "seed": []}, None, {"id": "b"}], "total": None, "has_more": "yes"}
    page = decoded(VideoTaskList, Answer(200, {"x-request-id": "req_1"}, json.dumps(body).encode()))
    assert [task.id for task in page.data] == ["a", "b"]
    assert (page.total, page.has_more, page.request_id) == (None, None, "req_1")
