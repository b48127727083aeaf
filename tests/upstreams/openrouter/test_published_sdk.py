"""The fake's OpenRouter is one that the published ``openrouter`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_openrouter_package_submits_polls_downloads_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    plots = ["normal", "moderated_output", "invalid", "moderated_input", "rate_limited"]
    fake.control(Control(step=4, next=plots))
    seen = await run("openrouter", fake.base_url("openrouter"), "key-of-the-fake")
    assert seen == {
        "models": ["google/veo-3.1-lite"],
        "created": "pending",
        "polling": True,
        "early": 409,
        "statuses": ["pending", "in_progress", "completed"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "cost": 0.4,
        "outputs": [1, 1],
        "withheld": ["pending", "in_progress", "failed", "blocked by content filter"],
        "refused": 400,
        "moderated": 403,
        "busy": 429,
        "wrong_key": 401,
    }
