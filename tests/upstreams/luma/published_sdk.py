"""What the published ``luma-agents`` and ``lumaai`` packages make of the fake: generations and errors."""

import hashlib
import json
import sys
import urllib.request

import luma_agents
import lumaai

base_url, key = sys.argv[1:]
dream_url = f"{base_url}/dream-machine/v1"
agents = luma_agents.Luma(base_url=base_url, auth_token=key, max_retries=0)
dream = lumaai.LumaAI(base_url=dream_url, auth_token=key, max_retries=0)
seen = {}


def ask_agents():
    return agents.generations.create(
        model="ray-3.2",
        type="video",
        prompt="a paper boat",
        aspect_ratio="16:9",
        video={"resolution": "720p", "duration": "5s"},
    )


def ask_dream():
    return dream.generations.video.create(
        model="ray-2", prompt="a paper boat", aspect_ratio="16:9", duration="5s", resolution="720p"
    )


def finish(client, made):
    states = []
    while True:
        generation = client.generations.get(made.id)
        if generation.state not in states:
            states.append(generation.state)
        if generation.state in {"completed", "failed"}:
            return states, generation


def digest(url):
    with urllib.request.urlopen(url) as video:
        return hashlib.sha256(video.read()).hexdigest()


seen["agents"], done = finish(agents, ask_agents())
seen["agents_sha256"] = digest(done.output[0].url)
_, failed = finish(agents, ask_agents())
seen["agents_failed"] = failed.failure_code
seen["dream"], done = finish(dream, ask_dream())
seen["dream_sha256"] = digest(done.assets.video)
_, failed = finish(dream, ask_dream())
seen["dream_failed"] = failed.failure_reason
for name, ask, package in (("agents", ask_agents, luma_agents), ("dream", ask_dream, lumaai)):
    try:
        ask()
    except package.UnprocessableEntityError as fault:
        seen[f"{name}_invalid"] = fault.status_code
    try:
        ask()
    except package.RateLimitError as fault:
        seen[f"{name}_busy"] = fault.status_code
for name, stranger, package in (
    ("agents", luma_agents.Luma(base_url=base_url, auth_token="wrong", max_retries=0), luma_agents),
    ("dream", lumaai.LumaAI(base_url=dream_url, auth_token="wrong", max_retries=0), lumaai),
):
    try:
        stranger.generations.get("any")
    except package.AuthenticationError as fault:
        seen[f"{name}_wrong_key"] = fault.status_code
print(json.dumps(seen))
