"""The fake's Ark is one that the published Ark runtime SDK works with."""

from tests.upstreams.fake import Control, FakeUpstream, submits_per_token
from tests.upstreams.published import run


async def test_the_published_ark_sdk_submits_polls_lists_cancels_and_reads_errors(fake: FakeUpstream) -> None:
    fake.control(Control(step=4, next=["normal", "normal", "moderated_input"]))
    seen = await run("byteplus", fake.base_url("byteplus"), "key-of-the-fake")
    assert seen == {
        "statuses": ["queued", "running", "succeeded"],
        "urls": ["video.mp4", "last_frame.png"],
        "seed": 5,
        "mark": "task_1.1",
        "listed": True,
        "cancelled": "cancelled",
        "refused": "InputTextSensitiveContentDetected",
        "missing": 404,
    }
    assert submits_per_token(fake.log)["task_1.1"] == 1
