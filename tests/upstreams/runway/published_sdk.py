"""What the published ``runwayml`` package makes of the fake: submit, poll, result, cancel, errors."""

import hashlib
import json
import sys
import urllib.request

import runwayml

base_url, key = sys.argv[1:]
client = runwayml.RunwayML(base_url=base_url, api_key=key, max_retries=0)
seen = {}


def create(prompt="a paper boat"):
    return client.text_to_video.create(model="gen4.5", prompt_text=prompt, ratio="1280:720", duration=5)


made = create()
seen["credits"] = made.estimated_cost.credits
statuses = []
while True:
    task = client.tasks.retrieve(made.id)
    if task.status not in statuses:
        statuses.append(task.status)
    if task.status in {"SUCCEEDED", "FAILED"}:
        break
seen["statuses"] = statuses
with urllib.request.urlopen(task.output[0]) as video:
    seen["sha256"] = hashlib.sha256(video.read()).hexdigest()
frame = client.image_to_video.create(
    model="gen4_turbo", prompt_image="https://example.com/a.png", ratio="720:1280", prompt_text="it sails"
)
client.tasks.delete(frame.id)
try:
    client.tasks.retrieve(frame.id)
except runwayml.NotFoundError as fault:
    seen["after_cancel"] = fault.status_code
refused = create()
while True:
    task = client.tasks.retrieve(refused.id)
    if task.status == "FAILED":
        break
seen["refused"] = task.failure_code
for name, expected in (("invalid", runwayml.BadRequestError), ("busy", runwayml.RateLimitError)):
    try:
        create()
    except expected as fault:
        seen[name] = fault.status_code
try:
    runwayml.RunwayML(base_url=base_url, api_key="wrong", max_retries=0).tasks.retrieve(made.id)
except runwayml.AuthenticationError as fault:
    seen["wrong_key"] = fault.status_code
print(json.dumps(seen))
