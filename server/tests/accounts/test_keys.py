"""API keys: made once, checked by their hash, revoked for good."""

import hashlib

import pytest

from meshapi_server.accounts.key import Key, TermInvalid
from meshapi_server.accounts.keys import KeyEnded, Keys, digest
from meshapi_server.store.sqlite import SqliteStore
from meshapi_server.store.stored_keys import StoredKeys

from ..samples import NOW, HandClock


@pytest.fixture
def keys(store: SqliteStore, clock: HandClock) -> Keys:
    return Keys(StoredKeys(store), clock)


async def test_a_made_key_opens_and_shows_only_its_last_characters(keys: Keys) -> None:
    secret, key = await keys.create("ci")
    assert await keys.check(secret) == key
    assert (key.last_four, key.name, key.created_at, key.revoked_at) == (secret[-4:], "ci", NOW, None)
    assert secret not in repr(key)


async def test_every_key_has_an_owner_of_its_own_unless_one_is_named(keys: Keys) -> None:
    made = [(await keys.create("a"))[1], (await keys.create("b"))[1]]
    shared = [(await keys.create("c", "own_x"))[1], (await keys.create("d", "own_x"))[1]]
    assert len({key.owner for key in made}) == 2
    assert {key.owner for key in shared} == {"own_x"}


async def test_a_revoked_key_opens_no_more_and_the_others_do(keys: Keys) -> None:
    first, key = await keys.create("a")
    second, other = await keys.create("b")
    await keys.revoke(key.id)
    assert await keys.check(first) is None
    assert await keys.check(second) == other


@pytest.mark.parametrize(
    "guess",
    [
        "",
        "rsk_",
        "rsk_short",
        "sk-live-0123456789",
        "rsk_" + "A" * 26,
        "rsk_" + "A" * 200,
        "rsk_ABCDEFGH\n",
        "rsk_é" * 4,
    ],
)
async def test_what_is_no_key_of_ours_opens_nothing(keys: Keys, guess: str) -> None:
    await keys.create("a")
    assert await keys.check(guess) is None


async def test_keys_are_listed_oldest_first_revoked_ones_too(keys: Keys, clock: HandClock) -> None:
    made: list[Key] = []
    for name in ("a", "b", "c"):
        clock.now += 1
        made.append((await keys.create(name))[1])
    await keys.revoke(made[1].id)
    listed = await keys.all()
    assert [key.name for key in listed] == ["a", "b", "c"]
    assert [key.revoked_at is None for key in listed] == [True, False, True]


@pytest.mark.parametrize("name", ["", "n" * 101])
async def test_a_name_that_is_too_short_or_too_long_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        await keys.create(name)
    assert await keys.all() == []


def test_what_is_kept_of_a_key_is_its_sha256() -> None:
    assert digest("rsk_x") == hashlib.sha256(b"rsk_x").digest()


async def test_a_new_secret_opens_at_once_and_the_old_one_until_its_grace_is_over(
    keys: Keys, clock: HandClock
) -> None:
    old, key = await keys.create("ci")
    made = await keys.rotate(key.id, grace=60)
    assert made is not None
    new, rotated = made
    assert (rotated.id, rotated.last_four, rotated.rotated_at) == (key.id, new[-4:], NOW)
    assert await keys.check(new) == await keys.check(old) == rotated
    clock.now = NOW + 59_999
    assert await keys.check(old) == rotated
    clock.now = NOW + 60_000
    assert await keys.check(old) is None
    assert await keys.check(new) == rotated


async def test_without_grace_the_old_secret_ends_at_once(keys: Keys) -> None:
    old, key = await keys.create("leaked")
    made = await keys.rotate(key.id, grace=0)
    assert made is not None
    assert await keys.check(old) is None
    assert await keys.check(made[0]) == made[1]


async def test_two_secrets_are_valid_at_once_never_three(keys: Keys) -> None:
    first, key = await keys.create("ci")
    secrets = [first, *[made[0] for _ in range(2) if (made := await keys.rotate(key.id))]]
    assert [await keys.check(secret) is not None for secret in secrets] == [False, True, True]


async def test_an_old_secret_opens_nothing_once_its_key_is_revoked(keys: Keys) -> None:
    old, key = await keys.create("ci")
    made = await keys.rotate(key.id)
    assert made is not None
    await keys.revoke(key.id)
    assert [await keys.check(secret) for secret in (old, made[0])] == [None, None]


async def test_an_expired_key_opens_no_more_and_one_that_is_put_off_does(
    keys: Keys, clock: HandClock
) -> None:
    secret, key = await keys.create("trial", expires_at=NOW + 1000)
    assert await keys.check(secret) == key
    clock.now = NOW + 1000
    assert await keys.check(secret) is None
    extended = await keys.update(key.id, expires_at=NOW + 9000)
    assert await keys.check(secret) == extended


async def test_a_suspended_key_is_known_and_says_so_until_it_is_resumed(keys: Keys, clock: HandClock) -> None:
    secret, key = await keys.create("ci")
    suspended = await keys.suspend(key.id)
    assert suspended is not None
    assert (suspended.suspended_at, suspended.status(NOW)) == (NOW, "suspended")
    clock.now = NOW + 5
    assert await keys.suspend(key.id) == suspended
    assert await keys.check(secret) == suspended
    await keys.resume(key.id)
    assert await keys.check(secret) == key


async def test_what_is_said_of_a_key_is_changed_one_by_one_and_taken_away(keys: Keys) -> None:
    _, key = await keys.create("ci", requests_per_minute=5, models=("a/*",), budget_total=7)
    changed = await keys.update(key.id, name="cd", requests_per_minute=None, tasks_in_flight=3)
    assert changed == await keys.get(key.id)
    assert changed is not None
    assert (changed.name, changed.requests_per_minute, changed.tasks_in_flight) == ("cd", None, 3)
    assert (changed.models, changed.budget_total) == (("a/*",), 7)


async def test_a_revoked_key_cannot_be_changed_any_more(keys: Keys) -> None:
    _, key = await keys.create("ci")
    await keys.revoke(key.id)
    for change in (
        keys.suspend(key.id),
        keys.resume(key.id),
        keys.update(key.id, name="b"),
        keys.rotate(key.id),
    ):
        with pytest.raises(KeyEnded, match=f"{key.id} was revoked"):
            await change


async def test_what_is_not_there_cannot_be_changed(keys: Keys) -> None:
    changes = (
        keys.suspend("key_0"),
        keys.resume("key_0"),
        keys.update("key_0", name="b"),
        keys.rotate("key_0"),
    )
    assert [await change for change in changes] == [None] * 4
    assert await keys.get("key_0") is None


async def test_terms_that_cannot_be_make_no_key_and_change_none(keys: Keys) -> None:
    with pytest.raises(TermInvalid, match="expires_at"):
        await keys.create("ci", expires_at=NOW)
    _, key = await keys.create("ci")
    with pytest.raises(TermInvalid, match="concurrency"):
        await keys.update(key.id, concurrency=0)
    with pytest.raises(TermInvalid, match="grace_seconds"):
        await keys.rotate(key.id, grace=-1)
    assert await keys.all() == [key]


async def test_no_repr_of_a_key_or_of_the_room_shows_a_secret(keys: Keys) -> None:
    secret, key = await keys.create("ci")
    made = await keys.rotate(key.id)
    assert made is not None
    shown = repr((key, made[1], keys, await keys.all()))
    for each in (secret, made[0], digest(secret).hex(), digest(made[0]).hex()):
        assert each not in shown


async def test_the_first_key_of_a_database_is_made_once(keys: Keys) -> None:
    first = await keys.create_first("development")
    assert first is not None
    assert await keys.check(first[0]) == first[1]
    assert await keys.create_first("development") is None
    assert await keys.all() == [first[1]]


async def test_a_database_that_has_keys_gets_no_first_one(keys: Keys) -> None:
    await keys.create("mine")
    assert await keys.create_first("development") is None
    assert len(await keys.all()) == 1


async def test_keys_come_by_the_page_and_by_their_owner(keys: Keys) -> None:
    made = [(await keys.create(f"{number}", "own_a" if number % 2 else "own_b"))[1] for number in range(6)]
    page = await keys.page(limit=4)
    assert [*page, *await keys.page(after=page[-1].id, limit=4)] == made
    assert await keys.all("own_a") == made[1::2]
