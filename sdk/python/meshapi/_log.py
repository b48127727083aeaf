"""What the client tells about itself when asked: one line a request, never a key, a prompt or a signature."""

import logging
import os

from .errors import ConfigurationError

logger = logging.getLogger("meshapi")
logger.addHandler(logging.NullHandler())
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


def configure() -> None:
    """Obey MESHAPI_LOG (``info``: each request; ``debug``: waits too) by writing to standard error."""
    wish = os.environ.get("MESHAPI_LOG", "").strip().lower()
    if not wish or wish in {"off", "0"}:
        return
    if wish not in _LEVELS:
        raise ConfigurationError(f"MESHAPI_LOG is {wish!r}; it takes {', '.join(_LEVELS)} or off")
    logger.setLevel(_LEVELS[wish])
    if not any(isinstance(handler, logging.StreamHandler) for handler in logger.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s meshapi %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
