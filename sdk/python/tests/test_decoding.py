"""Answers, as the contract says they are read."""

import json

import pytest
from pydantic import BaseModel
from sdk_support.vectors import at_least, cases

from meshapi import errors
from meshapi._calls import decoded
from meshapi._error_decoding import error_from
from meshapi._exchange import Answer
from meshapi.types import CreateVideoGenerationResponse, VideoTaskList, VideoTaskResponse

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
