"""Two creates by the published meshapi 0.1.x with a key whose budget pays for one; told as JSON.

official_budget.py BASE_URL KEY MODEL
"""

import json
import sys
from typing import Any

from meshapi import MeshAPI, MeshAPIError, VideoContentItem, VideoGenerationParams


def spend(base_url: str, key: str, model: str) -> dict[str, Any]:
    """The first task's id, and what the package makes of the refusal of the second."""
    client = MeshAPI(base_url=base_url, token=key, max_retries=0)
    content = [VideoContentItem(type="text", text="A serene mountain lake at sunrise")]
    first = client.videos.generate(VideoGenerationParams(model=model, content=content))
    try:
        client.videos.generate(VideoGenerationParams(model=model, content=content))
    except MeshAPIError as error:
        return {
            "first": first.id,
            "status": error.status,
            "error_code": error.error_code,
            "request_id": error.request_id,
            "message": str(error),
        }
    return {"first": first.id}


print(json.dumps(spend(*sys.argv[1:])))
