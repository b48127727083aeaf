# Generated from _async/test_usage.py by generate_sync.py; edit that file, not this one.
# ruff: noqa: SIM117
"""What keys have used, as the client asks for it and tells it."""

import datetime

import pytest
from sdk_support.mesh import KEY
from sdk_support.scripted import Say

from meshapi import ConfigurationError, MeshAPI, ResponseDecodingError, UnprocessableEntityError

SPENT = {"tasks": 2, "cost_usd": "0.5", "held_usd": "0.4", "unknown_usd": "0", "unknown_tasks": 0}
REPORT = {
    "object": "usage",
    "from": "2026-11-20",
    "to": "2026-11-21",
    "data": [{"day": None, "key_id": None, "model": "m/x", **SPENT}],
    "total": SPENT,
}


def _client(server, **more):
    return MeshAPI(base_url=server.url, api_key=KEY, **more)


def test_usage_is_asked_for_by_days_and_told_by_entries(scripted):
    scripted.play(Say(200, REPORT, {"X-Request-Id": "req_u"}), Say(200, REPORT))
    with _client(scripted) as client:
        report = client.usage.get(
            from_=datetime.date(2026, 11, 20), to="2026-11-21", by=["model"], extra_query={"beta": "1"}
        )
        client.usage.get()
    assert scripted.asked[0].path == "/v1/usage"
    assert scripted.asked[0].query == [
        ("from", "2026-11-20"),
        ("to", "2026-11-21"),
        ("by", "model"),
        ("beta", "1"),
    ]
    assert scripted.asked[1].query == []
    assert [(entry.model, entry.tasks, entry.cost_usd) for entry in report] == [("m/x", 2, "0.5")]
    assert (report.from_, report.to, report.total.held_usd) == ("2026-11-20", "2026-11-21", "0.4")
    assert report.request_id == "req_u"


def test_usage_is_asked_for_again_when_its_answer_is_lost(scripted):
    scripted.play(Say(502), Say(200, REPORT))
    with _client(scripted) as client:
        assert len(client.usage.get()) == 1
    assert len(scripted.asked) == 2


def test_a_day_that_is_none_is_refused_before_anything_is_sent(scripted):
    with _client(scripted) as client:
        with pytest.raises(ConfigurationError, match="from is no day"):
            client.usage.get(from_="last week")
    assert scripted.asked == []


def test_what_the_server_refuses_is_told_in_its_words(scripted):
    told = "query.by: 'upstream' is no dimension; use day, key, model"
    detail = {"type": "value_error", "loc": ["query", "by"], "msg": told}
    scripted.play(
        Say(422, {"error": {"code": "validation_error", "message": told}, "details": [detail]}),
    )
    with _client(scripted) as client:
        with pytest.raises(UnprocessableEntityError, match="no dimension"):
            client.usage.get(by="upstream")


def test_the_answer_around_a_report_may_be_a_table(scripted):
    scripted.play(Say(200, REPORT), Say(200, b"model,tasks\r\nm/x,2\r\n", {"Content-Type": "text/csv"}))
    with _client(scripted) as client:
        raw = client.usage.with_raw_response.get(by="model")
        assert (raw.status, raw.parse().total.tasks) == (200, 2)
        table = client.usage.with_raw_response.get(by="model", extra_query={"format": "csv"})
    assert table.body.startswith(b"model,tasks\r\n")
    assert scripted.asked[1].query == [("by", "model"), ("format", "csv")]
    with pytest.raises(ResponseDecodingError):
        table.parse()
