"""Registered endpoints and their secrets, in either dialect."""

import pytest

from meshapi import WebhookVerificationError
from meshapi import webhooks as sdk
from meshapi_server.callbacks import signing
from meshapi_server.callbacks.courier import Courier
from meshapi_server.callbacks.ports import MOST_ENDPOINTS, SUCCEEDED, TEST, SigningSecret
from meshapi_server.callbacks.service import OLD_SECRET_VALID, TooManyEndpoints, Webhooks
from meshapi_server.tasks.errors import RequestInvalid, TaskMissing

from ..samples import OWNER, HandClock
from ..store.conftest import Sql
from .conftest import End, deliver, log_of
from .receiver import Received, Receiver


def fits(received: Received, secret: SigningSecret, clock: HandClock) -> bool:
    """Whether a holder of this secret believes a callback."""
    try:
        sdk.Webhooks(signing.shown(secret.value), clock=lambda: clock() / 1000).verify(
            received.body, received.headers
        )
    except WebhookVerificationError:
        return False
    return True


async def test_an_end_is_told_to_every_endpoint_and_to_the_tasks_own_url(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    made = [await webhooks.create(OWNER, receiver.url(name)) for name in ("one", "two")]
    await webhooks.create("own_2", receiver.url("other"))
    await end(receiver.url("task"))
    await deliver(courier)
    assert sorted(each.path for each in receiver.received) == ["/one", "/task", "/two"]
    assert len({each.id for each in receiver.received}) == 1
    (own, *_) = await webhooks.secret(OWNER)
    for received in receiver.received:
        secrets = {"/one": made[0][1], "/two": made[1][1], "/task": own}
        believers = [path for path, secret in secrets.items() if fits(received, secret, clock)]
        assert believers == [received.path], "each is signed with its own secret"


async def test_an_endpoint_is_told_what_it_asked_for(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End
) -> None:
    picky, _ = await webhooks.create(OWNER, receiver.url("picky"), events=[SUCCEEDED])
    off, _ = await webhooks.create(OWNER, receiver.url("off"), enabled=False)
    await end()
    await deliver(courier)
    assert receiver.received == []
    await webhooks.update(OWNER, picky.id, {"events": ()})
    await webhooks.update(OWNER, off.id, {"enabled": True})
    await end()
    await deliver(courier)
    assert sorted(each.path for each in receiver.received) == ["/off", "/picky"]


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    endpoint, old = await webhooks.create(OWNER, receiver.url())
    _, (new, before) = await webhooks.rotate(OWNER, endpoint.id)
    assert (before.value, before.expires_at) == (old.value, clock() + OLD_SECRET_VALID)
    clock.now += OLD_SECRET_VALID - 1
    await end()
    await deliver(courier)
    clock.now += 1
    await end()
    await deliver(courier)
    within, after = receiver.received
    assert [fits(within, each, clock) for each in (old, new)] == [True, True]
    assert [fits(after, each, clock) for each in (old, new)] == [False, True]


async def test_two_secrets_are_valid_at_once_and_never_three(webhooks: Webhooks) -> None:
    first = (await webhooks.secret(OWNER))[0]
    second = (await webhooks.rotate_secret(OWNER))[0]
    secrets = await webhooks.rotate_secret(OWNER)
    assert [each.value for each in secrets[1:]] == [second.value]
    assert first.value not in {each.value for each in secrets}
    assert [each.value for each in await webhooks.secret(OWNER)] == [each.value for each in secrets]
    assert len({each.value for each in (first, second, *secrets)}) == 3


async def test_a_secret_is_the_same_whoever_asks_first(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    await end(receiver.url())
    await deliver(courier)  # signs with a secret that nobody has asked for yet
    assert fits(receiver.received[0], (await webhooks.secret(OWNER))[0], clock)
    assert (await webhooks.secret(OWNER))[0].value == (await webhooks.secret(OWNER))[0].value


async def test_what_is_on_its_way_to_an_endpoint_dies_with_it(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock, sql: Sql
) -> None:
    endpoint, _ = await webhooks.create(OWNER, receiver.url("hook", "500"))
    await end()
    await deliver(courier)
    await webhooks.delete(OWNER, endpoint.id)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.error) == ("dead", "the endpoint was deleted")
    assert await sql("select count(*) from webhook_secret") == [(0,)]
    await webhooks.redeliver(OWNER, delivery.id)
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.error) == ("dead", "the endpoint was deleted")
    assert len(receiver.received) == 1


async def test_what_is_on_its_way_to_an_endpoint_that_is_switched_off_is_dead_until_asked_for(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End, clock: HandClock
) -> None:
    endpoint, _ = await webhooks.create(OWNER, receiver.url("hook", "500"))
    await end()
    await deliver(courier)
    await webhooks.update(OWNER, endpoint.id, {"enabled": False})
    clock.now += 5_000
    await deliver(courier)
    (delivery,) = await log_of(webhooks)
    assert (delivery.status, delivery.error) == ("dead", "the endpoint is switched off")
    await webhooks.update(OWNER, endpoint.id, {"enabled": True})
    await webhooks.redeliver(OWNER, delivery.id)
    await deliver(courier)
    assert (await log_of(webhooks))[0].status == "delivered"


async def test_a_test_event_goes_to_one_endpoint_whatever_it_asked_for_and_into_no_feed(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, clock: HandClock
) -> None:
    endpoint, secret = await webhooks.create(OWNER, receiver.url("hook"), events=[SUCCEEDED])
    await webhooks.create(OWNER, receiver.url("other"))
    tried = await webhooks.test(OWNER, endpoint.id)
    assert (tried.delivery.type, tried.delivery.status) == (TEST, "pending")
    await deliver(courier)
    (received,) = receiver.received
    assert (received.path, received.headers["x-mesh-event"]) == ("/hook", TEST)
    event = sdk.Webhooks(signing.shown(secret.value), clock=lambda: clock() / 1000).parse(
        received.body, received.headers
    )
    assert (event.task.status, event.task.metadata) == ("succeeded", {"webhook": "test"})
    assert await webhooks.events(OWNER, "", 10) == ([], False)


async def test_an_owner_has_so_many_endpoints_at_most(webhooks: Webhooks) -> None:
    for _ in range(MOST_ENDPOINTS):
        endpoint, _ = await webhooks.create(OWNER, "https://a.example/")
    with pytest.raises(TooManyEndpoints, match=str(MOST_ENDPOINTS)):
        await webhooks.create(OWNER, "https://a.example/")
    await webhooks.create("own_2", "https://a.example/")
    await webhooks.delete(OWNER, endpoint.id)
    await webhooks.create(OWNER, "https://a.example/")


async def test_an_unknown_type_of_event_is_refused_by_name(webhooks: Webhooks) -> None:
    with pytest.raises(RequestInvalid, match=r"video\.generation\.succeeded"):
        await webhooks.create(OWNER, "https://a.example/", events=["video.finished"])


async def test_the_log_is_filtered(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End
) -> None:
    endpoint, _ = await webhooks.create(OWNER, receiver.url("good"))
    first, second = await end(receiver.url("bad", "500", "500")), await end()
    await deliver(courier)
    everything = await log_of(webhooks)
    assert len(everything) == 3
    assert {each.task_id for each in await log_of(webhooks, task_id=first.id)} == {first.id}
    assert len(await log_of(webhooks, endpoint_id=endpoint.id)) == 2
    assert [each.url.rpartition("/")[2] for each in await log_of(webhooks, status="pending")] == ["bad"]
    (only,) = await log_of(webhooks, task_id=second.id, status="delivered")
    assert [each.id for each in await log_of(webhooks, event_id=only.event_id)] == [only.id]
    assert [each.id for each in await log_of(webhooks, after=everything[1].id)] == [everything[0].id]


async def test_what_is_somebody_elses_does_not_exist(
    webhooks: Webhooks, courier: Courier, receiver: Receiver, end: End
) -> None:
    endpoint, _ = await webhooks.create(OWNER, receiver.url())
    await end()
    (delivery,) = await log_of(webhooks)
    for call in (
        webhooks.endpoint("own_2", endpoint.id),
        webhooks.update("own_2", endpoint.id, {"url": "https://evil.example/"}),
        webhooks.delete("own_2", endpoint.id),
        webhooks.rotate("own_2", endpoint.id),
        webhooks.test("own_2", endpoint.id),
        webhooks.delivery("own_2", delivery.id),
        webhooks.redeliver("own_2", delivery.id),
    ):
        with pytest.raises(TaskMissing):
            await call
    assert await webhooks.endpoints("own_2") == []
    assert await log_of(webhooks, "own_2") == []
    assert await log_of(webhooks, "own_2", task_id=delivery.task_id) == []
    await deliver(courier)
    assert [each.path for each in receiver.received] == ["/hook"]
    assert (await webhooks.secret(OWNER))[0].value != (await webhooks.secret("own_2"))[0].value
