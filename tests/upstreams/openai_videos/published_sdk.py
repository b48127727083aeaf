"""What the published ``openai`` package makes of the fake: submit, poll, result, errors."""

import hashlib
import json
import sys
import warnings

import openai

warnings.simplefilter("ignore")  # the package calls its own videos deprecated
base_url, key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
seen = {}

video = client.videos.create(model="wan-2.2", prompt="a paper boat", seconds="4", size="1280x720")
seen["created"] = video.status
statuses = []
while video.status not in {"completed", "failed"}:
    video = client.videos.retrieve(video.id)
    if video.status not in statuses:
        statuses.append(video.status)
seen["statuses"] = statuses
seen["sha256"] = hashlib.sha256(client.videos.download_content(video.id).read()).hexdigest()
seen["listed"] = [each.id for each in client.videos.list().data] == [video.id]
try:
    client.videos.retrieve("video_unknown")
except openai.NotFoundError as fault:
    seen["missing"] = fault.status_code
try:
    openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0).videos.create(prompt="x")
except openai.AuthenticationError as fault:
    seen["wrong_key"] = fault.code
try:
    client.videos.create(prompt="refused")
except openai.BadRequestError as fault:
    seen["refused"] = fault.code
print(json.dumps(seen))
