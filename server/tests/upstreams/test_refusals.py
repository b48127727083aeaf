"""From HTTP statuses and bodies to the few kinds of no."""

from typing import Any

import msgspec
import pytest

from meshapi_server.upstreams.contract import Deferred, Rejected, TaskError, Unserved
from meshapi_server.upstreams.http import HttpResponse, Unreadable, get, path, post_form, retry_after, shown
from meshapi_server.upstreams.refusals import Errors, Fault, Said, Unclear, lost, said_in

from .stub import look

PLAIN = Errors()


def response(status: int, value: Any = None, **headers: str) -> HttpResponse:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return HttpResponse(status=status, headers=headers, body=body, received_at=1_785_585_600_000)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (409, Rejected),
        (413, Rejected),
        (422, Rejected),
        (401, Unserved),
        (402, Unserved),
        (403, Unserved),
        (404, Unserved),
        (410, Unserved),
        (301, Unserved),
        (308, Unserved),
        (429, Deferred),
        (503, Deferred),
        (529, Deferred),
        (302, Unclear),
        (408, Unclear),
        (500, Unclear),
        (502, Unclear),
        (504, Unclear),
    ],
)
def test_a_status_alone_decides_what_a_submission_becomes(status: int, kind: type[Exception]) -> None:
    assert isinstance(PLAIN.refusal(response(status, {"message": "no"})), kind)


@pytest.mark.parametrize("body", [b"", b"<html>503</html>", b"[]", b'"busy"'])
def test_a_503_that_the_upstream_did_not_say_itself_leaves_it_open(body: bytes) -> None:
    assert isinstance(PLAIN.refusal(response(503, body)), Unclear)


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>"])
def test_a_429_is_a_refusal_whoever_says_it(body: bytes) -> None:
    assert isinstance(PLAIN.refusal(response(429, body)), Deferred)


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ({"error": {"code": "bad", "message": "no"}}, "bad", "no"),
        ({"error": {"type": "bad", "message": "no"}}, "bad", "no"),
        ({"error": {"code": 400, "message": "no", "status": "INVALID"}}, "400", "no"),
        ({"code": 1201, "message": "no"}, "1201", "no"),
        ({"code": "bad", "error": "no"}, "bad", "no"),
        ({"error": "no"}, None, "no"),
        ({"detail": "no"}, None, "no"),
        ({"detail": [{"loc": ["body"], "msg": "no", "type": "bad"}]}, None, "no"),
        ({"type": "about:blank", "title": "no", "status": 422}, "about:blank", "no"),
        ({}, None, "HTTP 418"),
        ([], None, "HTTP 418"),
    ],
)
def test_the_usual_shapes_of_an_error_are_read(value: Any, code: str | None, message: str) -> None:
    said = said_in(response(418, value))
    assert (said.code, said.message) == (code, message)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"<html>"])
def test_no_body_can_break_the_reading(body: bytes) -> None:
    assert said_in(response(500, body)).message.startswith("HTTP 500")


def test_codes_are_matched_whole_then_by_what_stands_before_a_dot() -> None:
    errors = Errors(codes={"Denied": "auth", "Denied.Overdue": "funds"})
    kinds = [
        errors.kind(Said(code=code)) for code in ("Denied.Overdue.X", "Denied.Other", "Denied", "DeniedX")
    ]
    assert kinds == ["funds", "auth", "auth", None]


def test_parts_of_codes_come_before_words_of_messages() -> None:
    errors = Errors(parts=(("moderat", "moderated_input"),), words=(("credit", "funds"),))
    assert errors.kind(Said(code="MODERATION_X", message="no credit")) == "moderated_input"
    assert errors.kind(Said(code="X", message="No Credit left")) == "funds"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Sat, 01 Aug 2026 12:00:30 GMT", 30.0),
        ("Sat, 01 Aug 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(response(429, {}, **{"retry-after": header})) == seconds


def test_a_wait_is_as_long_as_the_upstream_says_else_a_usual_one() -> None:
    told = PLAIN.refusal(response(429, {}, **{"retry-after": "40"}))
    untold = PLAIN.refusal(response(429, {}))
    assert isinstance(told, Deferred)
    assert isinstance(untold, Deferred)
    assert (told.retry_after, untold.retry_after) == (40.0, 5.0)
    assert told.pause


def test_a_moderation_names_stage_item_and_bill() -> None:
    fault = Fault(
        kind="moderated_input", item="input image", charged="no", said=Said(code="X", body={"a": 1})
    )
    assert fault.error() == TaskError(
        code="content_policy_violation",
        message="The upstream's safety check refused the input image. Nothing was charged.",
        provider_code="X",
        provider_error={"a": 1},
        charged="no",
        retryable=False,
        stage="input",
        item="input image",
    )
    withheld = Fault(kind="moderated_output", charged="yes").error()
    assert withheld.message.endswith("withheld the video that it had made. It was charged.")
    assert withheld.retryable is True


def test_a_task_that_nobody_shows_yet_is_not_lost() -> None:
    new, old = look(), look()
    soon = HttpResponse(status=404, received_at=59_000)
    later = HttpResponse(status=404, received_at=61_000)
    assert isinstance(lost(new, soon), Unclear)
    gone = lost(old, later)
    assert not isinstance(gone, Exception)
    assert gone.error is not None
    assert gone.error.code == "upstream_error"


def test_an_id_cannot_leave_its_place_in_a_path() -> None:
    assert path("videos", "../../keys?x=1#y") == "/videos/..%2F..%2Fkeys%3Fx=1%23y"
    for wrong in ("", ".", ".."):
        with pytest.raises(ValueError, match="cannot be an element"):
            path("videos", wrong)


def test_a_form_is_the_same_for_the_same_fields() -> None:
    first, second = (post_form("/x", [("a", "1"), ('b"', "2\r\n3")]) for _ in range(2))
    assert first == second
    assert b'name="b%22"' in first.body


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://user:pass@h.example/a?sig=1#f", "https://h.example/a"),
        ("/videos/1?x=2", "/videos/1"),
        ("data:image/png;base64," + "A" * 100, "data:image/png;base64,AAAAAAAA..."),
    ],
)
def test_a_shown_url_has_no_secret_places(url: str, safe: str) -> None:
    assert shown(url) == safe
    assert "sig" not in repr(get(url))


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff"])
def test_an_answer_that_is_no_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        response(200, body).object()
