"""Which server a command talks to: the environment's, or the one started here by ``meshapi serve``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from . import failure

if TYPE_CHECKING:
    from meshapi import MeshAPI

_VARIABLES = ("MESHAPI_BASE_URL", "MESHAPI_API_KEY", "MESHAPI_TOKEN")
DEVELOPMENT_FILE = "development.json"


def client() -> MeshAPI:
    """A client; ConfigurationError when nothing says where to go and with which key."""
    from meshapi import ConfigurationError, MeshAPI

    if any(os.environ.get(name) for name in _VARIABLES):
        return MeshAPI()
    path = data_directory() / DEVELOPMENT_FILE
    development = _development(path)
    if development is None:
        raise ConfigurationError(
            "no server and no key are configured: set MESHAPI_API_KEY (and MESHAPI_BASE_URL for a server"
            " of your own), or start a server here with `meshapi serve`"
        )
    base_url, api_key = development
    failure.warn(f"using the development server {base_url} (from {path})")
    return MeshAPI(base_url=base_url, api_key=api_key)


def data_directory() -> Path:
    """$MESHAPI_DATA_DIR, else $XDG_DATA_HOME/meshapi, else ~/.local/share/meshapi; as the server has it."""
    chosen = os.environ.get("MESHAPI_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser()
    share = os.environ.get("XDG_DATA_HOME")
    return (Path(share) if share else Path.home() / ".local" / "share") / "meshapi"


def _development(path: Path) -> tuple[str, str] | None:
    from meshapi import ConfigurationError

    try:
        known = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    match known:
        case {"base_url": str(base_url), "api_key": str(api_key)}:
            return base_url, api_key
    raise ConfigurationError(f"{path} lacks base_url or api_key; `meshapi serve` writes it anew")
