"""Deliveries in either dialect: every event arrives, whatever the receiver and the workers do."""

import asyncio
import json
from typing import Any

import pytest

from meshapi import webhooks as sdk
from meshapi_server.callbacks import signing
from meshapi_server.callbacks.courier import Courier
from meshapi_server.callbacks.ports import SUCCEEDED
from meshapi_server.callbacks.schedule import RETRIES_AFTER
from meshapi_server.callbacks.service import Webhooks
from meshapi_server.destinations.guard import Guard
from meshapi_server.store.planned import PlannedStore
from meshapi_server.store.stored_callbacks import StoredCallbacks
from meshapi_server.tasks.life import Step
from meshapi_server.tasks.states import Event, State

from .. import samples
from ..samples import NOW, OWNER, HandClock
from .conftest import TIMEOUT, End, Hire, deliver, log_of
from .receiver import Received, Receiver

DAYS = 24 * 3600 * 1000


async def secret_of(webhooks: Webhooks, owner: str = OWNER) -> str:
    return signing.shown((await webhooks.secret(owner))[0].value)


def believed(received: Received, secret: str, clock: HandClock) -> dict[str, Any]:
    """The body of a callback that the SDK accepts at the hand clock's time."""
    event = sdk.Webhooks(secret, clock=lambda: clock() / 1000).parse(received.body, received.headers)
    assert event.id == received.id
    body: dict[str, Any] = json.loads(received.body)
    return body


async def test_the_end_of_a_task_is_told_once_and_signed(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    task = await end(receiver.url())
    await deliver(courier)
    (received,) = receiver.received
    body = believed(received, await secret_of(webhooks), clock)
    assert (body["id"], body["status"], body["error"]["code"]) == (task.id, "failed", "cancelled")
    assert body["metadata"] == {"order": "1"}
    assert None not in body.values()
    assert received.headers["content-type"] == "application/json"
    (event,), more = await webhooks.events(OWNER, "", 10)
    assert (event.id, event.type, more) == (received.id, "video.generation.failed", False)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.http_status, delivery.error, delivery.due) == (
        "delivered",
        204,
        None,
        None,
    )
    await deliver(courier)
    assert len(receiver.received) == 1


async def test_a_task_without_a_callback_is_in_the_feed_and_calls_nobody(
    webhooks: Webhooks, courier: Courier, end: End
) -> None:
    task = await end()
    assert not await courier.turn()
    ((event,), _) = await webhooks.events(OWNER, "", 10)
    assert event.task_id == task.id
    assert await log_of(webhooks) == []


@pytest.mark.parametrize(
    ("behaviour", "status", "words"),
    [
        ("500", 500, "answered HTTP 500"),
        ("404", 404, "answered HTTP 404"),
        ("410", 410, "answered HTTP 410"),
        ("301 {trap}", 301, "redirects are not followed"),
        ("302 {trap}", 302, "redirects are not followed"),
        ("307 {trap}", 307, "redirects are not followed"),
        ("308 {trap}", 308, "redirects are not followed"),
        ("304", 304, "redirects are not followed"),
        ("reset", None, "closed the connection"),
        ("close", None, "closed the connection"),
        ("garbage", None, "no answer in HTTP"),
        ("hang", None, f"did not answer within {TIMEOUT:g} s"),
    ],
)
async def test_whatever_fails_is_told_again_with_the_same_id_and_a_new_signature(
    behaviour: str,
    status: int | None,
    words: str,
    webhooks: Webhooks,
    courier: Courier,
    receiver: Receiver,
    end: End,
    clock: HandClock,
) -> None:
    trap = receiver.url("trap")
    await end(receiver.url("hook", behaviour.format(trap=trap)))
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.http_status, delivery.due) == ("pending", status, clock() + 5_000)
    assert words in (delivery.error or "")
    clock.now += 4_999
    assert not await courier.turn()
    clock.now += 1
    await deliver(courier)
    assert receiver.at("trap") == []
    first, second = receiver.at("hook")
    secret = await secret_of(webhooks)
    assert believed(second, secret, clock) == json.loads(first.body)
    assert first.id == second.id
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.attempt, delivery.error) == ("delivered", 2, None)
    attempts = (await webhooks.delivery(OWNER, delivery.id)).attempts
    assert [(each.attempt, each.http_status) for each in attempts] == [(1, status), (2, 204)]
    assert words in (attempts[0].error or "")


@pytest.mark.parametrize(
    ("behaviour", "pause"),
    [
        ("429 after 90", 90_000),
        ("503 after 3600", 3_600_000),
        ("503 after 2", 5_000),
        ("503 after 99999999", 86_400_000),
        ("500 after Thu, 01 Jan 1970 00:00:00 GMT", 5_000),
    ],
)
async def test_a_receiver_says_when_to_come_back_and_is_heard(
    behaviour: str,
    pause: int,
    webhooks: Webhooks,
    courier: Courier,
    receiver: Receiver,
    end: End,
    clock: HandClock,
) -> None:
    await end(receiver.url("hook", behaviour))
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.due) == ("pending", clock() + pause)
    clock.now += pause - 1
    assert not await courier.turn()
    clock.now += 1
    await deliver(courier)
    assert len(receiver.at("hook")) == 2


async def test_an_endpoint_that_is_gone_is_switched_off_and_told_nothing_more(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    gone, _ = await webhooks.create(OWNER, receiver.url("gone", "500", "410"))
    await webhooks.create(OWNER, receiver.url("there"))
    await end()  # its first delivery fails, and waits for its second try
    await deliver(courier)
    await end()
    await deliver(courier)
    assert not (await webhooks.endpoint(OWNER, gone.id)).enabled
    clock.now += 5_000
    await deliver(courier)
    await end()
    await deliver(courier)
    assert len(receiver.at("gone")) == 2
    assert len(receiver.at("there")) == 3
    first, second = await log_of(webhooks, endpoint_id=gone.id)
    assert (first.status, first.error) == ("dead", "the endpoint is switched off")
    assert (second.status, second.http_status, second.due) == ("dead", 410, None)
    assert "switched off" in (second.error or "")
    await webhooks.update(OWNER, gone.id, {"enabled": True})
    await webhooks.redeliver(OWNER, second.id)
    await deliver(courier)
    assert (await webhooks.delivery(OWNER, second.id)).delivery.status == "delivered"


async def test_an_endpoint_that_moved_meanwhile_is_not_switched_off_for_its_old_place(
    webhooks: Webhooks, callbacks: StoredCallbacks, clock: HandClock
) -> None:
    old, new = "https://a.example/old", "https://a.example/new"
    endpoint, _ = await webhooks.create(OWNER, old)
    await webhooks.update(OWNER, endpoint.id, {"url": new})
    await callbacks.switch_off(endpoint.id, old, clock())
    assert (await webhooks.endpoint(OWNER, endpoint.id)).enabled
    await callbacks.switch_off(endpoint.id, new, clock())
    assert not (await webhooks.endpoint(OWNER, endpoint.id)).enabled


async def test_after_the_last_retry_it_is_dead_and_can_be_asked_for_again(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    await end(receiver.url("hook", *["503"] * 9))
    for pause in RETRIES_AFTER:
        await deliver(courier)
        (delivery,) = await log_of(webhooks, status="pending")
        assert delivery.due == clock() + pause * 1000
        clock.now = delivery.due
    await deliver(courier)
    (delivery,) = await log_of(webhooks, status="dead")
    assert (delivery.due, delivery.attempt) == (None, 8)
    clock.now += 3 * DAYS
    assert not await courier.turn()
    again = (await webhooks.redeliver(OWNER, delivery.id)).delivery
    assert (again.status, again.due) == ("pending", clock())
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert delivery.due == clock() + 5_000, "it has all its retries ahead"
    clock.now = delivery.due
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.attempt) == ("delivered", 10)
    assert len({each.id for each in receiver.received}) == 1
    assert len(receiver.received) == 10
    attempts = (await webhooks.delivery(OWNER, delivery.id)).attempts
    assert [each.attempt for each in attempts] == list(range(1, 11))


async def test_one_that_arrived_can_be_sent_again(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End
) -> None:
    await end(receiver.url())
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    await webhooks.redeliver(OWNER, delivery.id)
    await deliver(courier)
    assert len(receiver.received) == 2
    assert len({each.id for each in receiver.received}) == 1


async def test_events_that_arrived_are_those_of_the_feed_each_at_least_once(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    scripts = [[], ["500"], ["reset", "close"], ["hang"], ["garbage", "302 /x"], ["429", "503", "500"]]
    await webhooks.create(OWNER, receiver.url("all", "500", "reset", "418"))
    told = [(await end(receiver.url(f"task-{number}", *script))).id for number, script in enumerate(scripts)]
    for _ in range(8):
        await deliver(courier)
        waiting = [each.due for each in await log_of(webhooks) if each.due is not None]
        clock.now = max([clock.now, *waiting])
    assert {each.status for each in await log_of(webhooks)} == {"delivered"}
    events, _ = await webhooks.events(OWNER, "", 100)
    assert [event.task_id for event in events] == told, "in the order in which they ended"
    assert [event.id for event in events] == sorted(event.id for event in events)
    for number, event in enumerate(events):
        assert {each.id for each in receiver.at(f"task-{number}")} == {event.id}
        assert len(receiver.at(f"task-{number}")) == len(scripts[number]) + 1
    assert {each.id for each in receiver.at("all")} == {event.id for event in events}


async def test_a_task_that_was_deleted_is_still_told(
    store: PlannedStore, courier: Courier, receiver: Receiver, webhooks: Webhooks, end: End, clock: HandClock
) -> None:
    task = await end(receiver.url())
    assert await store.delete(OWNER, task.id, NOW) is not None
    assert await store.get(OWNER, task.id) is None
    await deliver(courier)
    (received,) = receiver.received
    assert believed(received, await secret_of(webhooks), clock)["id"] == task.id


async def test_an_event_is_stored_by_the_transaction_that_ends_the_task_or_not_at_all(
    store: PlannedStore, webhooks: Webhooks, end: End, clock: HandClock
) -> None:
    task = await end("https://hook.example/a")
    assert await store.cancel(OWNER, task.id, clock()) is None, "a task ends once"
    events, _ = await webhooks.events(OWNER, "", 10)
    assert [event.task_id for event in events] == [task.id]


async def test_a_delivery_whose_worker_died_is_made_by_another_when_its_lease_is_over(
    hire: Hire, receiver: Receiver, webhooks: Webhooks, end: End, clock: HandClock
) -> None:
    dead, alive = hire(timeout=60), hire()
    await end(receiver.url("hook", "hang"))
    assert await dead.turn()
    await receiver.until(lambda: receiver.hanging == 1)
    assert not await alive.turn(), "it is the other one's"
    clock.now += 20_001
    alive._next_reap = 0
    await deliver(alive)
    first, second = receiver.received
    assert first.id == second.id
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.attempt) == ("delivered", 2)
    attempts = (await webhooks.delivery(OWNER, delivery.id)).attempts
    assert [each.ended_at for each in attempts] == [None, clock()], "what became of the first is not known"
    await _abandon(dead)


async def test_a_worker_that_wakes_up_too_late_changes_nothing(
    hire: Hire, callbacks: StoredCallbacks, receiver: Receiver, webhooks: Webhooks, end: End, clock: HandClock
) -> None:
    asleep, awake = hire(), hire()
    await end(receiver.url("hook", "hang"))
    assert await asleep.turn()
    clock.now += 20_001
    await callbacks.free_lost(clock())
    await deliver(awake)
    await asleep.settle()  # its POST has failed by now, and it says so
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.error, delivery.due) == ("delivered", None, None)


async def test_a_server_alone_on_its_store_takes_over_at_once(
    hire: Hire, receiver: Receiver, end: End
) -> None:
    dead, alive = hire(timeout=60), hire()
    await end(receiver.url("hook", "hang"))
    assert await dead.turn()
    await receiver.until(lambda: receiver.hanging == 1)
    await alive.prepare(alone=True)
    await deliver(alive)
    assert len(receiver.received) == 2
    await _abandon(dead)


async def test_a_courier_that_stops_gives_back_what_did_not_end(
    hire: Hire, receiver: Receiver, webhooks: Webhooks, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshapi_server.callbacks.courier._LAST_WORDS", 0.01)
    stopped, other = hire(timeout=60), hire()
    await end(receiver.url("hook", "hang"))
    assert await stopped.turn()
    await receiver.until(lambda: receiver.hanging == 1)
    await stopped.stop()
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.worker) == ("pending", None)
    await deliver(other)
    assert (await log_of(webhooks))[0].status == "delivered"


async def test_a_destination_that_hangs_holds_its_own_places_and_nobody_elses(
    hire: Hire, receiver: Receiver, end: End
) -> None:
    courier = hire(timeout=60, per_host=3)
    for _ in range(20):
        await end(receiver.url("slow", *["hang"] * 20))
    for _ in range(5):
        await end(receiver.url("quick", host="localhost"))
    work = asyncio.create_task(courier.run())
    await receiver.until(lambda: len(receiver.at("quick")) == 5)
    await receiver.until(lambda: receiver.hanging == 3)
    assert receiver.most_hanging == 3
    assert len(receiver.at("slow")) == 3
    await _abandon(courier)
    await courier.stop()
    await work


async def test_an_owner_with_many_hanging_destinations_leaves_room_for_others(
    hire: Hire, receiver: Receiver, end: End
) -> None:
    courier = hire(timeout=60, per_host=3, per_owner=4)
    for host in ("127.0.0.1", "localhost", "127.1"):
        for _ in range(5):
            await end(receiver.url("slow", *["hang"] * 30, host=host))
    await end(receiver.url("quick", host="0x7f.1"), owner="own_2")
    work = asyncio.create_task(courier.run())
    await receiver.until(lambda: len(receiver.at("quick")) == 1)
    await receiver.until(lambda: receiver.hanging == 4)
    assert receiver.most_hanging == 4
    await _abandon(courier)
    await courier.stop()
    await work


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"],
)
async def test_a_callback_to_the_inside_is_not_made_and_stays_retryable(
    host: str, hire: Hire, receiver: Receiver, webhooks: Webhooks, end: End
) -> None:
    courier = hire(Guard(private=False, ports=None))
    await end(receiver.url("hook", host=host))
    await deliver(courier)
    assert receiver.received == []
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.http_status) == ("pending", None)
    assert delivery.error in {"leads to an address that is not called", "cannot be reached"}


async def test_a_callback_to_an_odd_port_is_not_made(
    hire: Hire, receiver: Receiver, webhooks: Webhooks, end: End
) -> None:
    courier = hire(Guard(private=True, ports=frozenset({443})))
    await end(receiver.url())
    await deliver(courier)
    assert receiver.received == []
    assert "443 may be called" in ((await log_of(webhooks))[0].error or "")


async def test_a_task_that_succeeds_is_told_with_links_as_fresh_as_the_attempt(
    store: PlannedStore,
    callbacks: StoredCallbacks,
    webhooks: Webhooks,
    courier: Courier,
    receiver: Receiver,
    clock: HandClock,
) -> None:
    task = samples.task(spec=samples.spec(callback_url=receiver.url("hook", "500")))
    row = samples.schedule(state=State.FETCHING, worker="w", attempt=1, lease_until=clock() + 9_000)
    await store.create(task, row, b"{}", None)
    await store.step(task.id, Step(event=Event.STORED, outcome=samples.outcome()), clock())
    await deliver(courier)
    clock.now += 2 * DAYS
    await deliver(courier)
    first, second = (json.loads(each.body)["content"]["video_url"] for each in receiver.received)
    assert first != second
    assert f"/files/{task.id}/video.mp4?expires=" in second
    assert int(second.split("expires=")[1].split("&")[0]) > clock() // 1000
    (event,), _ = await webhooks.events(OWNER, "", 10)
    assert event.type == SUCCEEDED


async def _abandon(courier: Courier) -> None:
    """What a kill does to the coroutines: nothing of them is stored."""
    for task in list(courier._running):
        task.cancel()
    await asyncio.gather(*list(courier._running), return_exceptions=True)
