"""The fake's Runway is one that the published ``runwayml`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_the_published_runwayml_package_submits_polls_cancels_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    fake.control(Control(step=4, next=["normal", "normal", "moderated_input", "invalid", "rate_limited"]))
    seen = await run("runway", fake.base_url("runway"), "key-of-the-fake")
    assert seen == {
        "credits": 60,
        "statuses": ["PENDING", "RUNNING", "SUCCEEDED"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "after_cancel": 404,
        "refused": "SAFETY.INPUT.TEXT",
        "invalid": 400,
        "busy": 429,
        "wrong_key": 401,
    }
