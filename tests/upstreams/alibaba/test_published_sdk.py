"""The fake's Alibaba is one that the published ``dashscope`` package works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run

PLOTS = ["normal", "normal", "moderated_output", "invalid", "rate_limited"]


async def test_the_published_sdk_submits_uploads_polls_cancels_lists_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    fake.control(Control(step=4, next=PLOTS))
    seen = await run("alibaba", fake.base_url("alibaba"), "key-of-the-fake")
    assert seen == {
        "statuses": ["PENDING", "RUNNING", "SUCCEEDED"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "size": "1280*720",
        "with_upload": 200,
        "cancelled": 200,
        "after_cancel": "CANCELED",
        "too_late": [400, "UnsupportedOperation"],
        "listed": [True],
        "withheld": ["FAILED", "DataInspectionFailed"],
        "refused": [400, "InvalidParameter"],
        "busy": [429, "Throttling.RateQuota"],
        "stranger": [401, "InvalidApiKey"],
        "unknown": "UNKNOWN",
    }
    assert fake.shop.received[1].body == b"pixels"
