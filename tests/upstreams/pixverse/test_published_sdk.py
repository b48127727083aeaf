"""The fake's PixVerse is one that PixVerse's own published client works with."""

import hashlib

import pytest
from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_pixverses_published_client_uploads_generates_polls_and_reads_errors(
    fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package asks for a newer Python than the oldest of ours, which what is used of it does not need.
    monkeypatch.setenv("PIP_IGNORE_REQUIRES_PYTHON", "1")
    fake.control(Control(step=4, next=["normal", "normal", "moderated_output", "moderated_input"]))
    seen = await run("pixverse", fake.url, "key-of-the-fake", str(FILES["last_frame.png"]))
    assert seen == {
        "statuses": ["pending", "in_progress", "completed"],
        "sha256": hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest(),
        "seed": 11,
        "size": [1280, 720],
        "image": ["pending", "in_progress", "completed"],
        "withheld": ["pending", "in_progress", "failed"],
        "refused": 500054,
        "wrong_key": 10005,
    }
