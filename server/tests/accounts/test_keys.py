"""API keys: made once, checked by their hash, revoked for good."""

import hashlib

import pytest

from meshapi_server.accounts.keys import Key, Keys, digest
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
