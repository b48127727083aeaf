"""What the published ``replicate`` package makes of the fake: predictions, errors, webhooks."""

import hashlib
import json
import sys
import urllib.request

import replicate
from replicate.exceptions import ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks

base_url, key, hook = sys.argv[1:]
client = replicate.Client(api_token=key, base_url=base_url.removesuffix("/v1"))
seen = {}


def create(prompt="a paper boat"):
    return client.predictions.create(model="google/veo-3.1-fast", input={"prompt": prompt, "duration": 8})


def finish(prediction):
    statuses = []
    while True:
        prediction.reload()
        if prediction.status not in statuses:
            statuses.append(prediction.status)
        if prediction.status in {"succeeded", "failed", "canceled"}:
            return statuses


model = client.models.get("google/veo-3.1-fast")
seen["model"] = f"{model.owner}/{model.name}"
made = create()
seen["created"] = made.status
seen["statuses"] = finish(made)
with urllib.request.urlopen(made.output) as video:
    seen["sha256"] = hashlib.sha256(video.read()).hexdigest()
stopped = create()
stopped.cancel()
seen["after_cancel"] = finish(stopped)
refused = create()
seen["refused"] = [*finish(refused), refused.error]
try:
    create()
except ReplicateError as fault:
    seen["invalid"] = fault.status
try:
    replicate.Client(api_token="wrong", base_url=base_url.removesuffix("/v1")).predictions.get(made.id)
except ReplicateError as fault:
    seen["wrong_key"] = fault.status
webhook = json.loads(hook)
secret = client.webhooks.default.secret()
Webhooks.validate(headers=webhook["headers"], body=webhook["body"], secret=secret)
try:
    Webhooks.validate(headers=webhook["headers"], body=webhook["body"] + " ", secret=secret)
except InvalidSignatureError:
    seen["webhook"] = "signed"
print(json.dumps(seen))
