"""What the published ``google-genai`` package makes of the fake: interactions by key, Veo by token."""

import hashlib
import json
import sys
import urllib.request
import warnings

from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

warnings.simplefilter("ignore")
base_url, key = sys.argv[1:]
options = types.HttpOptions(base_url=base_url, retry_options=types.HttpRetryOptions(attempts=1))
seen = {}

omni = genai.Client(api_key=key, http_options=options)


def interact():
    return omni.interactions.create(
        model="gemini-omni-1.1-flash",
        input="a paper boat",
        response_format={"type": "video", "aspect_ratio": "16:9", "duration": "8s", "delivery": "uri"},
        background=True,
        store=True,
    )


made = interact()
seen["created"] = made.status
statuses = []
while True:
    found = omni.interactions.get(made.id)
    if found.status not in statuses:
        statuses.append(found.status)
    if found.status in {"completed", "failed"}:
        break
seen["statuses"] = statuses
(video,) = [part for step in found.steps if step.type == "model_output" for part in step.content]
with urllib.request.urlopen(urllib.request.Request(video.uri, headers={"x-goog-api-key": key})) as answer:
    seen["sha256"] = hashlib.sha256(answer.read()).hexdigest()
seen["cancelled"] = omni.interactions.cancel(interact().id).status
asked = {"refused": interact, "busy": interact, "missing": lambda: omni.interactions.get("v1_unknown")}
for name, ask in asked.items():
    try:
        ask()
    except Exception as fault:  # noqa: BLE001 - the package does not publish the classes of these errors
        seen[name] = fault.status_code

vertex = genai.Client(
    vertexai=True,
    project="p",
    location="us-central1",
    credentials=Credentials(token=key),
    http_options=options,
)


def veo():
    return vertex.models.generate_videos(
        model="veo-3.1-generate-001",
        source=types.GenerateVideosSource(prompt="a paper boat"),
        config=types.GenerateVideosConfig(duration_seconds=8, aspect_ratio="16:9", generate_audio=True),
    )


operation, looks = veo(), 0
while not operation.done:
    operation = vertex.operations.get(operation)
    looks += 1
seen["waited"] = looks > 1
data = operation.result.generated_videos[0].video.video_bytes
seen["veo_sha256"] = hashlib.sha256(data).hexdigest()
operation = veo()
while not operation.done:
    operation = vertex.operations.get(operation)
seen["filtered"] = operation.result.rai_media_filtered_count
try:
    veo()
except errors.ClientError as fault:
    seen["veo_refused"] = fault.status
print(json.dumps(seen))
