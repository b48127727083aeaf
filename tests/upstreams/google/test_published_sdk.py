"""The fake's Google is one that the published ``google-genai`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_google_genai_package_submits_polls_cancels_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    plots = ["normal", "normal", "moderated_input", "rate_limited", "normal", "moderated_output", "invalid"]
    fake.control(Control(step=4, next=plots))
    seen = await run("google", fake.base_url("google"), "key-of-the-fake")
    digest = hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest()
    assert seen == {
        "created": "queued",
        "statuses": ["queued", "in_progress", "completed"],
        "sha256": digest,
        "cancelled": "cancelled",
        "refused": 400,
        "busy": 429,
        "missing": 404,
        "waited": True,
        "veo_sha256": digest,
        "filtered": 1,
        "veo_refused": "INVALID_ARGUMENT",
    }
