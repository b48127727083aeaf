"""What a server would send to a ``callback_url``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from meshapi.types import VideoTaskResponse
from meshapi.webhooks import SECRET_PREFIX


def callback(
    task: VideoTaskResponse | Mapping[str, Any],
    secret: str,
    *,
    id: str = "evt_mock",  # noqa: A002 - as the header has it
    timestamp: float | None = None,
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a callback, signed with ``secret`` (``whsec_`` and base64).

    ``timestamp`` is Unix seconds, now unless told. Null fields are left out, as the server does.
    """
    fields = task.model_dump(mode="json") if isinstance(task, VideoTaskResponse) else dict(task)
    body = json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
    stamp = str(int(time.time() if timestamp is None else timestamp))
    encoded = secret.removeprefix(SECRET_PREFIX)
    key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    digest = hmac.digest(key, b".".join((id.encode(), stamp.encode(), body)), hashlib.sha256)
    return body, {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
