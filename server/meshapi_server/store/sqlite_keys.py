"""The key store under the name that the composition knows it by."""

from .stored_keys import StoredKeys as SqliteKeys

__all__ = ["SqliteKeys"]
