"""The fake's Luma is one that the published ``luma-agents`` and ``lumaai`` packages work with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_packages_of_both_apis_create_poll_and_read_errors(fake: FakeUpstream) -> None:
    plots = ["normal", "moderated_output", "normal", "fails"]
    fake.control(Control(step=4, next=[*plots, *["invalid", "rate_limited"] * 2]))
    seen = await run("luma", fake.base_url("luma"), "key-of-the-fake")
    digest = hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest()
    assert seen == {
        "agents": ["queued", "processing", "completed"],
        "agents_sha256": digest,
        "agents_failed": "content_moderated",
        "dream": ["queued", "dreaming", "completed"],
        "dream_sha256": digest,
        "dream_failed": "The generation failed.",
        "agents_invalid": 422,
        "agents_busy": 429,
        "dream_invalid": 422,
        "dream_busy": 429,
        "agents_wrong_key": 401,
        "dream_wrong_key": 401,
    }
