# Generated from _async/test_webhook_calls.py by generate_sync.py; edit that file, not this one.
"""What ``client.webhooks`` sends, what of it is sent again, and how it walks through lists."""

import pytest
from sdk_support.mesh import KEY
from sdk_support.scripted import Say

from meshapi import (
    ConfigurationError,
    InternalServerError,
    InvalidIdError,
    MeshAPI,
    NotFoundError,
    RetryPolicy,
)

ONCE, AGAIN = 1, 2
WHE, WHD = "/v1/webhooks/endpoints", "/v1/webhooks/deliveries"


def _client(server):
    soon = RetryPolicy(initial_seconds=0.01, max_seconds=0.01)
    return MeshAPI(base_url=server.url, api_key=KEY, retry=soon)


CALLS = {
    "create": (
        lambda hooks: hooks.endpoints.create("https://a.example/h", events=("x.y",), enabled=False),
        ("POST", WHE, {"url": "https://a.example/h", "events": ["x.y"], "enabled": False}),
        ONCE,
    ),
    "list": (lambda hooks: hooks.endpoints.list(), ("GET", WHE, None), AGAIN),
    "get": (lambda hooks: hooks.endpoints.get("whe/1"), ("GET", f"{WHE}/whe%2F1", None), AGAIN),
    "update": (
        lambda hooks: hooks.endpoints.update("whe_1", events=[], description=""),
        ("PATCH", f"{WHE}/whe_1", {"events": [], "description": ""}),
        AGAIN,
    ),
    "delete": (lambda hooks: hooks.endpoints.delete("whe_1"), ("DELETE", f"{WHE}/whe_1", None), ONCE),
    "test": (lambda hooks: hooks.endpoints.test("whe_1"), ("POST", f"{WHE}/whe_1/test", None), ONCE),
    "rotate": (lambda hooks: hooks.endpoints.rotate("whe_1"), ("POST", f"{WHE}/whe_1/rotate", None), ONCE),
    "deliveries": (lambda hooks: hooks.deliveries.list(), ("GET", WHD, None), AGAIN),
    "delivery": (lambda hooks: hooks.deliveries.get("whd_1"), ("GET", f"{WHD}/whd_1", None), AGAIN),
    "redeliver": (
        lambda hooks: hooks.deliveries.redeliver("whd_1"),
        ("POST", f"{WHD}/whd_1/redeliver", None),
        AGAIN,
    ),
    "events": (lambda hooks: hooks.events(), ("GET", "/v1/events", None), AGAIN),
    "secret": (lambda hooks: hooks.secret(), ("GET", "/v1/webhooks/secret", None), AGAIN),
    "rotate_secret": (
        lambda hooks: hooks.rotate_secret(),
        ("POST", "/v1/webhooks/secret/rotate", None),
        ONCE,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_what_it_means_and_is_sent_again_only_where_that_is_harmless(name, scripted):
    call, (method, path, body), times = CALLS[name]
    scripted.play(Say(500), Say(200, {"id": "x_1", "data": []}, {"X-Request-Id": "req_7"}))
    with _client(scripted) as client:
        if times == ONCE:
            with pytest.raises(InternalServerError):
                call(client.webhooks)
        result = call(client.webhooks) if len(scripted.asked) < AGAIN else None
    assert result is not None
    assert result.request_id == "req_7"
    for asked in scripted.asked:
        assert (asked.method, asked.path) == (method, path)
        assert (asked.json() if asked.body else None) == body
    assert len(scripted.asked) == 2


def test_a_walk_through_the_feed_goes_on_behind_the_servers_cursor(scripted):
    scripted.play(
        Say(200, {"data": [{"id": "evt_1"}, {"id": "evt_2"}], "has_more": True, "next": "evt_2b"}),
        Say(200, {"data": [{"id": "evt_3"}], "has_more": False, "next": "evt_3"}),
    )
    with _client(scripted) as client:
        found = [event.id for event in client.webhooks.iter_events(after="evt_0", limit=2)]
    assert found == ["evt_1", "evt_2", "evt_3"]
    assert [asked.query for asked in scripted.asked] == [
        [("after", "evt_0"), ("limit", "2")],
        [("after", "evt_2b"), ("limit", "2")],
    ]


def test_a_walk_through_the_deliveries_keeps_what_was_asked_for(scripted):
    scripted.play(
        Say(200, {"data": [{"id": "whd_2"}], "has_more": True}),
        Say(200, {"data": [{"id": "whd_1"}], "has_more": True}),
        Say(200, {"data": [], "has_more": False}),
    )
    with _client(scripted) as client:
        walk = client.webhooks.deliveries.iter(
            status="dead", endpoint_id="whe_1", event_id="evt_1", task_id="task_1", limit=1
        )
        found = [delivery.id for delivery in walk]
    assert found == ["whd_2", "whd_1"]
    selected = {
        "status": "dead",
        "endpoint_id": "whe_1",
        "event_id": "evt_1",
        "task_id": "task_1",
        "limit": "1",
    }
    assert [dict(asked.query) for asked in scripted.asked] == [
        selected,
        {**selected, "after": "whd_2"},
        {**selected, "after": "whd_1"},
    ]


@pytest.mark.parametrize(
    "page",
    [
        {"data": [{"id": "evt_1"}], "has_more": True, "next": "evt_0"},
        {"data": [{"id": ""}], "has_more": True},
        {"data": [{"id": "evt_1"}]},
        {"data": [], "has_more": True},
    ],
)
def test_a_walk_ends_where_the_server_names_no_way_on(page, scripted):
    scripted.play(Say(200, page), Say(404))
    with _client(scripted) as client:
        found = [event.id for event in client.webhooks.iter_events(after="evt_0")]
    assert found == [row["id"] for row in page["data"]]
    assert len(scripted.asked) == 1


def test_a_walk_fetches_nothing_until_it_is_wanted_and_raises_where_it_breaks(scripted):
    scripted.play(Say(200, {"data": [{"id": "evt_1"}], "has_more": True}), Say(404))
    with _client(scripted) as client:
        walk = client.webhooks.iter_events()
        assert scripted.asked == []
        assert (next(walk)).id == "evt_1"
        assert len(scripted.asked) == 1
        with pytest.raises(NotFoundError):
            next(walk)


def test_an_id_that_is_none_and_an_unknown_option_are_refused_before_anything_is_sent(scripted):
    with _client(scripted) as client:
        with pytest.raises(InvalidIdError):
            client.webhooks.endpoints.get("..")
        with pytest.raises(TypeError, match="timout"):
            client.webhooks.events(timout=3)
        with pytest.raises(ConfigurationError):
            client.webhooks.deliveries.get("whd_1", timeout=0)
    assert scripted.asked == []


def test_every_row_of_a_list_knows_the_request_that_brought_it(scripted):
    body = {"data": [{"id": "a", "attempts": [None, {"attempt": 1, "http_status": "x"}]}, None, {"id": 7}]}
    scripted.play(*(Say(200, body, {"X-Request-Id": f"req_{turn}"}) for turn in (1, 2)))
    with _client(scripted) as client:
        endpoints = client.webhooks.endpoints.list()
        deliveries = client.webhooks.deliveries.list()
    assert [(each.id, each.request_id) for each in endpoints] == [("a", "req_1"), ("", "req_1")]
    assert [(each.id, each.request_id) for each in deliveries] == [("a", "req_2"), ("", "req_2")]
    assert (len(deliveries), bool(deliveries), deliveries.data[0].attempts[0].attempt) == (2, True, 1)
