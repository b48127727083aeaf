"""API keys: made once, shown once, kept as a hash (wire.md section 1)."""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Protocol, Unpack

from msgspec import Struct
from msgspec.structs import replace

from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock

from .key import Changes, Key, TermInvalid, Terms, check_owner, check_terms
from .requests import Admission
from .windows import Limit, Verdict

_FORM = re.compile(r"^rsk_[0-9A-Za-z_-]{8,128}$")
GRACE = 24 * 3600  # s for which the secret before opens, too, unless it is said otherwise
MOST_GRACE = 30 * 24 * 3600

Change = Callable[[Key], Key]
"""What is made of a key; it may raise KeyEnded, and is called again when its transaction was undone."""


class KeyEnded(Exception):
    """The key was revoked: it cannot be changed any more."""


class Found(Struct, frozen=True, kw_only=True):
    """A key found by a secret: the hash of its current one, and until when the one before opens (ms)."""

    key: Key
    digest: bytes
    old_until: int | None


class KeyStore(Protocol):
    """Where keys live."""

    async def insert_key(self, key: Key, digest: bytes) -> None:
        """Store a key under the hash of its secret."""
        ...

    async def insert_first_key(self, key: Key, digest: bytes) -> bool:
        """Store a key if it is the first that this database ever had: true for one caller of many."""
        ...

    async def find_key(self, digest: bytes) -> Found | None:
        """The key whose current or last secret has this hash, whatever became of it."""
        ...

    async def get_key(self, key_id: str) -> Key | None:
        """One key."""
        ...

    async def list_keys(self, owner: str | None, after: str, limit: int) -> Sequence[Key]:
        """Keys behind the id ``after``, oldest first; all, or those of an owner."""
        ...

    async def change_key(self, key_id: str, change: Change) -> Key | None:
        """Change a key, one caller at a time; None when there is no such key."""
        ...

    async def rotate_key(self, key_id: str, change: Change, digest: bytes, old_until: int) -> Key | None:
        """Change a key and the hash of its secret; the one before opens until ``old_until`` (ms)."""
        ...

    async def count_request(self, key_id: str, limits: Sequence[Limit], now: int) -> Verdict:
        """Count a request in all of the limits' windows, or in none if one of them is full."""
        ...


class Keys:
    """Make, check, list, change and end keys. Every change holds from the next request on, everywhere."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self, name: str, owner: str | None = None, *, admin: bool = False, **terms: Unpack[Terms]
    ) -> tuple[str, Key]:
        """A new key and its row. The secret is returned this once; a key without ``owner`` gets its own.

        Raises TermInvalid.
        """
        secret, key = self._make(name, owner, admin, terms)
        await self._store.insert_key(key, digest(secret))
        return secret, key

    async def create_first(self, name: str) -> tuple[str, Key] | None:
        """The first key of a new database; None when it has had one, also for all but one of many callers."""
        secret, key = self._make(name, None, False, {})
        return (secret, key) if await self._store.insert_first_key(key, digest(secret)) else None

    async def check(self, secret: str) -> Key | None:
        """The key that ``secret`` opens; None when it is malformed, unknown, revoked, expired or replaced.

        A suspended key is returned: whoever holds it may know.
        """
        if not _FORM.match(secret):
            return None
        guess = digest(secret)
        # Looked up by hash: how long that takes tells nothing of any secret. Compared in constant time.
        found = await self._store.find_key(guess)
        if found is None:
            return None
        now = self._clock()
        if not hmac.compare_digest(found.digest, guess) and now >= (found.old_until or 0):
            return None
        return None if found.key.status(now) in {"revoked", "expired"} else found.key

    async def admit(self, key: Key) -> Admission | None:
        """Count a call of the key against its request limits; None, at no cost, when it has none."""
        limits = key.request_limits
        if not limits:
            return None
        now = self._clock()
        return Admission(await self._store.count_request(key.id, limits, now), now)

    async def get(self, key_id: str) -> Key | None:
        """One key; None when there is none."""
        return await self._store.get_key(key_id)

    async def page(self, *, owner: str | None = None, after: str = "", limit: int = 50) -> Sequence[Key]:
        """Keys behind the id ``after``, oldest first; all, or those of an owner."""
        return await self._store.list_keys(owner, after, limit)

    async def all(self, owner: str | None = None) -> list[Key]:
        """Every key, oldest first, or every key of an owner."""
        found: list[Key] = []
        while True:
            page = await self._store.list_keys(owner, found[-1].id if found else "", 500)
            found += page
            if len(page) < 500:
                return found

    async def update(self, key_id: str, **changes: Unpack[Changes]) -> Key | None:
        """Change what is said of a key; None when there is no such key. Raises TermInvalid, KeyEnded."""
        check_terms(changes, self._clock())
        return await self._store.change_key(key_id, lambda key: replace(_usable(key), **changes))

    async def rotate(self, key_id: str, grace: int = GRACE) -> tuple[str, Key] | None:
        """A new secret, returned this once; the old one opens for ``grace`` seconds more, 0 for not at all.

        Two secrets are valid at once, never three. None when there is no such key. Raises TermInvalid,
        KeyEnded.
        """
        if not 0 <= grace <= MOST_GRACE:
            raise TermInvalid("grace_seconds", f"from 0 to {MOST_GRACE}, got {grace}")
        secret, now = ids.api_key(), self._clock()
        key = await self._store.rotate_key(
            key_id,
            lambda key: replace(_usable(key), last_four=secret[-4:], rotated_at=now),
            digest(secret),
            now + grace * 1000,
        )
        return None if key is None else (secret, key)

    async def suspend(self, key_id: str) -> Key | None:
        """Turn a key away until it is resumed; None when there is no such key. Raises KeyEnded."""
        now = self._clock()
        return await self._store.change_key(
            key_id,
            lambda key: key if _usable(key).suspended_at is not None else replace(key, suspended_at=now),
        )

    async def resume(self, key_id: str) -> Key | None:
        """Let a suspended key in again; None when there is no such key. Raises KeyEnded."""
        return await self._store.change_key(key_id, lambda key: replace(_usable(key), suspended_at=None))

    async def revoke(self, key_id: str) -> Key | None:
        """End a key for good; None when there is no such key. Revoking twice changes nothing."""
        now = self._clock()
        return await self._store.change_key(
            key_id, lambda key: key if key.revoked_at is not None else replace(key, revoked_at=now)
        )

    def now(self) -> int:
        """The time by which keys expire, in milliseconds."""
        return self._clock()

    def _make(self, name: str, owner: str | None, admin: bool, terms: Terms) -> tuple[str, Key]:
        now = self._clock()
        check_terms({**terms, "name": name}, now)
        if owner is not None:
            check_owner(owner)
        secret = ids.api_key()
        key = Key(
            id=f"key_{ids.ulid()}",
            owner=owner or f"own_{ids.ulid()}",
            name=name,
            last_four=secret[-4:],
            created_at=now,
            admin=admin,
            **terms,
        )
        return secret, key


def digest(secret: str) -> bytes:
    """What the database keeps of a key: sha256. The secret has 130 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def _usable(key: Key) -> Key:
    if key.revoked_at is not None:
        raise KeyEnded(f"The key {key.id} was revoked; make another.")
    return key
