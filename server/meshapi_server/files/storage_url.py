"""Which storage a URL names: ``file://``, ``s3://``, ``gs://``, ``az://``."""

import importlib.util
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .local import LocalStorage
from .objects import SCHEMES, ObjectStorage
from .storage import Storage


class StorageUnusable(ValueError):
    """The setting names no storage that can be used; the message says what would be."""


def storage_of(url: str, default: Path) -> Storage:
    """The storage of a URL, not yet open; a directory ``default`` when the URL is empty."""
    if not url:
        return LocalStorage(default)
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and len(parts.path) > 1:
        return LocalStorage(Path(unquote(parts.path)))
    if parts.scheme in SCHEMES and parts.netloc:
        if importlib.util.find_spec("obstore") is None:
            raise StorageUnusable(
                f"storage: {parts.scheme}:// needs one more package; pip install 'meshapi-server[storage]'"
            )
        return ObjectStorage(url)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else url
    raise StorageUnusable(
        f"storage: {shown!r} is no storage; use file:///PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX"
        " or az://CONTAINER/PREFIX"
    )
