"""The fake's Replicate is one that the published ``replicate`` package works with."""

import hashlib
import json
import time

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run
from tests.upstreams.replicate.dialect import signed


async def test_the_published_replicate_package_submits_polls_cancels_reads_errors_and_verifies_webhooks(
    fake: FakeUpstream,
) -> None:
    fake.control(Control(step=4, next=["normal", "normal", "moderated_input", "invalid"]))
    body = '{"id": "p", "status": "succeeded"}'
    webhook = {"headers": signed("msg_1", body.encode(), int(time.time())), "body": body}
    seen = await run("replicate", fake.base_url("replicate"), "key-of-the-fake", json.dumps(webhook))
    assert seen == {
        "model": "google/veo-3.1-fast",
        "created": "starting",
        "statuses": ["starting", "processing", "succeeded"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "after_cancel": ["canceled"],
        "refused": ["starting", "processing", "failed", "The input was flagged as sensitive. (E005)"],
        "invalid": 422,
        "wrong_key": 401,
        "webhook": "signed",
    }
