"""The fake's ``/v1/videos`` is one that the published ``openai`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_openai_package_submits_polls_downloads_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    fake.control(Control(step=4, next=["normal", "moderated_input"]))
    seen = await run("openai_videos", fake.base_url("openai-videos"), "key-of-the-fake")
    assert seen == {
        "created": "queued",
        "statuses": ["queued", "in_progress", "completed"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "listed": True,
        "missing": 404,
        "wrong_key": "invalid_api_key",
        "refused": "moderation_blocked",
    }
