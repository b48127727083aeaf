"""What can go wrong between the server and its database."""

from meshapi_server.tasks.errors import StoreDown


class DatabaseDown(StoreDown):
    """The database did not come back in time. Whether the last write is in is not known."""


class DatabaseUnusable(OSError):
    """The database cannot be worked with as it is; the message says why, without its password."""
