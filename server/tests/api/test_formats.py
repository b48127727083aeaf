"""Other containers and codecs of the built-in model, from the request to the bytes."""

import av
import pytest

from ..serving import GENERATIONS, Caller


@pytest.mark.parametrize(
    ("output_format", "media_type", "codec"),
    [("webm", "video/webm", "vp9"), ("mp4-av1", "video/mp4", "av1")],
)
def test_a_video_is_made_and_served_in_the_format_that_was_asked_for(
    caller: Caller, output_format: str, media_type: str, codec: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    task = caller.create(
        "mesh/diorama-1", output_format=output_format, frames=12, resolution="480p", draft=True
    )
    ended = caller.ended(task, seconds=60)
    assert ended["status"] == "succeeded", ended
    answer = caller.get(f"{GENERATIONS}/{task['id']}/content")
    assert answer.headers["content-type"] == media_type
    linked = caller.get(ended["content"]["video_url"])
    assert (linked.headers["content-type"], linked.content) == (media_type, answer.content)
    file = tmp_path_factory.mktemp("made") / "video"
    file.write_bytes(answer.content)
    with av.open(file) as video:
        assert codec in video.streams.video[0].codec_context.name
        assert sum(1 for _ in video.decode(video=0)) == 12
