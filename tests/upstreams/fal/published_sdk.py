"""What the published ``fal-client`` package makes of the fake: submit, status, result, cancel, errors."""

import hashlib
import json
import sys
import urllib.request

import fal_client
from fal_client import client as protocol

base_url, key = sys.argv[1:]
protocol.QUEUE_URL_FORMAT = (
    f"{base_url}/"  # the package takes another host from its environment, by https only
)
client = fal_client.SyncClient(key=key)
seen = {}


def submit(prompt="a paper boat"):
    return client.submit("fal-ai/veo3.1/image-to-video", {"prompt": prompt, "duration": "8s"})


def finish(handle):
    statuses = []
    while True:
        status = handle.status()
        name = type(status).__name__
        if name not in statuses:
            statuses.append(name)
        if isinstance(status, fal_client.Completed):
            return statuses


made = submit()
seen["statuses"] = finish(made)
result = made.get()
with urllib.request.urlopen(result["video"]["url"]) as video:
    seen["sha256"] = hashlib.sha256(video.read()).hexdigest()
again = client.result("fal-ai/veo3.1/image-to-video", made.request_id)
seen["same"] = again["seed"] == result["seed"]
stopped = submit()
stopped.cancel()
seen["after_cancel"] = finish(stopped)
refused = submit()
finish(refused)
try:
    refused.get()
except fal_client.FalClientHTTPError as fault:
    seen["refused"] = [fault.status_code, fault.response.json()["detail"][0]["type"]]
try:
    fal_client.SyncClient(key="wrong").submit("fal-ai/veo3.1", {"prompt": "no"})
except fal_client.FalClientHTTPError as fault:
    seen["wrong_key"] = fault.status_code
print(json.dumps(seen))
