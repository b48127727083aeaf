"""API keys: made once, shown once, kept as a hash (wire.md section 1)."""

import hashlib
import re
from typing import Protocol

from msgspec import Struct

from meshapi_server.tasks import ids
from meshapi_server.tasks.clock import Clock

_FORM = re.compile(r"^rsk_[0-9A-Za-z_-]{8,128}$")
NAME_LENGTH = 100


class Key(Struct, frozen=True, kw_only=True):
    """A key as stored. Times are milliseconds; ``revoked_at`` None means it is valid.

    ``concurrency`` is how many of its tasks may be at an upstream at once; the others wait in the queue.
    """

    id: str
    owner: str
    name: str
    last_four: str
    created_at: int
    revoked_at: int | None = None
    concurrency: int | None = None

    @property
    def lane(self) -> str:
        """The pool in which its tasks occupy slots; empty when it has no limit of its own."""
        return "" if self.concurrency is None else f"key:{self.id}"


class KeyStore(Protocol):
    """Where keys live."""

    async def insert_key(self, key: Key, digest: bytes) -> None:
        """Store a key under the hash of its secret."""
        ...

    async def find_key(self, digest: bytes) -> Key | None:
        """The key with this hash, revoked or not."""
        ...

    async def list_keys(self) -> list[Key]:
        """Every key, oldest first."""
        ...

    async def revoke_key(self, key_id: str, now: int) -> Key | None:
        """Revoke for good; None when there is no such key. Revoking twice changes nothing."""
        ...


class Keys:
    """Make, check, list and revoke keys."""

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self, name: str, owner: str | None = None, *, concurrency: int | None = None
    ) -> tuple[str, Key]:
        """A new key and its row. The secret is returned this once; a key without ``owner`` gets its own."""
        if not 1 <= len(name) <= NAME_LENGTH:
            raise ValueError(f"name: 1 to {NAME_LENGTH} characters, got {len(name)}")
        if concurrency is not None and concurrency < 1:
            raise ValueError(f"concurrency: 1 or more, got {concurrency}")
        secret = ids.api_key()
        key = Key(
            id=f"key_{ids.ulid()}",
            owner=owner or f"own_{ids.ulid()}",
            name=name,
            last_four=secret[-4:],
            created_at=self._clock(),
            concurrency=concurrency,
        )
        await self._store.insert_key(key, digest(secret))
        return secret, key

    async def check(self, secret: str) -> Key | None:
        """The valid key that ``secret`` is, or None when it is malformed, unknown or revoked."""
        if not _FORM.match(secret):
            return None
        # Looked up by hash: equal time for every guess, as the secret itself is never compared.
        key = await self._store.find_key(digest(secret))
        return key if key is not None and key.revoked_at is None else None

    async def all(self) -> list[Key]:
        """Every key, oldest first."""
        return await self._store.list_keys()

    async def revoke(self, key_id: str) -> Key | None:
        """Revoke a key; None when there is no such key."""
        return await self._store.revoke_key(key_id, self._clock())


def digest(secret: str) -> bytes:
    """What the database keeps of a key: sha256. The secret has 130 random bits, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()
