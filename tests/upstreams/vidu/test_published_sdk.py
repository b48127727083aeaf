"""The fake's Vidu is one that Vidu's own published client works with."""

import hashlib

import pytest
from tests.upstreams.fake import Control, FakeUpstream
from tests.upstreams.fake.files import FILES
from tests.upstreams.published import run


async def test_vidus_published_client_uses_every_route_polls_and_reads_errors(
    fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package asks for a newer Python than the oldest of ours, which what is used of it does not need.
    monkeypatch.setenv("PIP_IGNORE_REQUIRES_PYTHON", "1")
    fake.control(Control(step=4, next=["normal"] * 4 + ["moderated_output", "invalid"]))
    host = fake.base_url("vidu").removesuffix("/ent/v2")
    seen = await run("vidu", host, "key-of-the-fake", str(FILES["last_frame.png"]))
    video = ["success", hashlib.sha256(FILES["video.mp4"].read_bytes()).hexdigest()]
    assert seen == {
        "text": video,
        "pauses": True,
        "image": video,
        "frames": video,
        "references": video,
        "withheld": True,
        "refused": True,
        "wrong_key": True,
    }
