"""Between rows and values of the keys."""

from typing import Any

import msgspec
from msgspec.structs import asdict

from meshapi_server.accounts.key import Key

from .plan import Row
from .statements import KEY_COLUMNS

_models = msgspec.json.Decoder(tuple[str, ...])


def read_key(row: Row) -> Key:
    """A key from the columns ``KEY_COLUMNS``, in that order; what follows them is left alone."""
    fields = dict(zip(KEY_COLUMNS, row, strict=False))
    models = fields["models"]
    return Key(
        **{
            **fields,
            "admin": bool(fields["admin"]),
            "models": None if models is None else _models.decode(models),
        }
    )


def key_row(key: Key) -> dict[str, Any]:
    """The columns of a key, by name."""
    models = None if key.models is None else msgspec.json.encode(key.models).decode()
    return {**asdict(key), "admin": int(key.admin), "models": models}
