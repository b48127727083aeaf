"""An upstream of the ``/v1/videos`` shape that costs next to nothing: what both gateways are put in front of.

Every create is taken and no task ever ends, so that the gateways are measured and not the videos.
"""

import itertools
import json
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

_numbers = itertools.count()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """POST creates, GET tells; nothing is kept."""
    while (await receive()).get("more_body"):
        pass
    made = scope["method"] == "POST"
    video = f"video_{next(_numbers)}" if made else scope["path"].rpartition("/")[2]
    body = json.dumps(
        {
            "id": video,
            "object": "video",
            "status": "queued",
            "created_at": 1_785_585_600,
            "model": "sora-2",
            "progress": 0,
            "seconds": "4",
            "size": "1280x720",
        }
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app, port=int(sys.argv[1]), log_level="error", loop="uvloop", http="httptools", lifespan="off"
    )
