"""The fake's MiniMax is one that MiniMax's own published client works with."""

import hashlib

from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published_node import run

CLIENT = "mmx-cli@1.0.27"
PLOTS = ["normal", "normal", "normal", "moderated_output", "moderated_input", "moderated_input", "no_funds"]


async def test_the_published_client_makes_videos_by_both_versions_and_reads_errors(
    fake: FakeUpstream,
) -> None:
    fake.control(Control(step=7, next=PLOTS))
    seen = await run("minimax", CLIENT, fake.base_url("minimax"), "key-of-the-fake")
    digest = hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest()
    assert seen == {
        "first": ["Success", digest],
        "second": ["succeeded", "2K", digest],
        "waiting": "queued",
        "withheld": "Task failed",
        "refused": "Input content flagged by sensitivity filter",
        "refusedOlder": "Input content flagged by sensitivity filter",
        "poor": "API error: insufficient balance",
        "stranger": "API key rejected",
    }
