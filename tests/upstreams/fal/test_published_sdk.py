"""The fake's fal is one that the published ``fal-client`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_fal_client_submits_polls_cancels_and_reads_errors(fake: FakeUpstream) -> None:
    fake.control(Control(step=4, next=["normal", "normal", "moderated_input"]))
    seen = await run("fal", fake.base_url("fal"), "key-of-the-fake")
    assert seen == {
        "statuses": ["Queued", "InProgress", "Completed"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "same": True,
        "after_cancel": ["Completed"],
        "refused": [422, "content_policy_violation"],
        "wrong_key": 401,
    }
