"""What can go wrong between the server and its database."""


class DatabaseDown(Exception):
    """The database did not come back in time. Whether the last write is in is not known."""


class DatabaseUnusable(OSError):
    """The database cannot be worked with as it is; the message says why, without its password."""
