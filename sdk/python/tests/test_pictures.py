"""Pictures of this machine as input: files, bytes, open images."""

import base64
import io

import pytest
from PIL import Image
from pydantic import BaseModel

from meshapi import MediaError, MediaURL, MeshAPIError, VideoContentItem, VideoGenerationParams
from meshapi.testing import MockServer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def _uri(content, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _sent(item):
    return VideoGenerationParams(model="m/x", content=[item]).to_wire()["content"][0]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "first.png"
    Image.new("RGB", (4, 3), (200, 30, 30)).save(path)
    return path


@pytest.mark.parametrize("give", [lambda path: path, lambda path: path.read_bytes(), Image.open])
def test_a_path_bytes_and_an_open_image_are_the_same_picture(picture, give):
    item = VideoContentItem(type="image_url", image_url=give(picture), role="first_frame")
    sent = _sent(item)
    head, _, content = sent["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert (image.size, image.getpixel((0, 0))) == ((4, 3), (200, 30, 30))
    assert sent["role"] == "first_frame"


def test_every_place_of_a_picture_takes_one(picture):
    uri = _uri(picture.read_bytes())
    for item in (
        {"type": "image_url", "image_url": picture},
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "image_url", "image_url": MediaURL(url=picture.read_bytes())},
        VideoContentItem.image(picture),
        VideoContentItem.image(str(picture)),
        VideoContentItem.image(uri),
    ):
        assert _sent(item) == {"type": "image_url", "image_url": {"url": uri}}


def test_a_url_stays_as_it_is_and_a_name_is_a_file_only_where_it_is_said():
    for url in ("https://a.example/1.png", "data:image/png;base64,AAAA", "asset://7"):
        assert _sent({"type": "image_url", "image_url": url})["image_url"] == {"url": url}
    assert VideoContentItem.image("https://a.example/1.png", subject="hero").subject == "hero"
    with pytest.raises(MediaError, match=r"'first\.png' cannot be read: No such file"):
        VideoContentItem.image("first.png")


def test_a_client_sends_the_bytes_of_a_file(picture):
    server = MockServer()
    server.client().videos.generate(
        model="m/x", content=[VideoContentItem.image(picture, role="last_frame")], duration=5
    )
    assert server.requests[0].json()["content"] == [
        {"type": "image_url", "image_url": {"url": _uri(picture.read_bytes())}, "role": "last_frame"}
    ]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "F"])
def test_an_open_image_of_any_kind_of_pixels_can_be_sent(mode):
    uri = VideoContentItem.image(Image.new(mode, (2, 2))).image_url
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
        assert (image.format, image.size) == ("PNG", (2, 2))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x1cftypheic", "image/heic"),
        (b"BM....", "image/bmp"),
        (b"II*\x00", "image/tiff"),
    ],
)
def test_the_kind_of_a_picture_is_what_its_bytes_say(content, kind):
    assert VideoContentItem.image(content).image_url == _uri(content, kind)


def test_what_is_no_picture_is_refused_with_what_was_found(tmp_path):
    (tmp_path / "notes.png").write_text("dear diary")
    with pytest.raises(MediaError, match=r"notes.png' is not a picture of a known kind \(it begins b'dear"):
        VideoContentItem(type="image_url", image_url=tmp_path / "notes.png")
    with pytest.raises(MediaError, match="it is empty"):
        VideoContentItem(type="image_url", image_url=b"")
    with pytest.raises(MediaError, match="Is a directory"):
        VideoContentItem.image(tmp_path)


def test_a_picture_that_is_too_large_is_refused_before_it_is_read_or_sent(tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(20 * 2**20 + 1)
    told = r"20\.0 MiB; at most 20 MiB can be sent within a request\. Make it smaller, or give its"
    with pytest.raises(MediaError, match=told) as caught:
        VideoContentItem.image(tmp_path / "large.png")
    assert isinstance(caught.value, MeshAPIError)
    assert caught.value.error_code == "media"
    with pytest.raises(MediaError, match="given as bytes has"):
        VideoContentItem.image(PNG + bytes(20 * 2**20))


def test_an_image_that_cannot_be_written_is_refused():
    class Torn:
        mode = "RGB"

        def save(self, fp, format=None, **params):  # noqa: A002
            raise OSError("image file is truncated")

        def convert(self, mode):
            return self

    with pytest.raises(MediaError, match="image file is truncated"):
        VideoContentItem.image(Torn())


def test_showing_an_item_does_not_show_all_its_bytes():
    item = VideoContentItem.image(PNG * 1000)
    shown = repr(item) + repr(MediaURL(url=PNG * 1000)) + str(item)
    assert len(shown) < 1000
    assert "characters)" in shown


def test_an_item_survives_being_stored_as_json_and_read_again(picture):
    item = VideoContentItem.image(picture, role="first_frame")
    again = VideoContentItem.model_validate_json(item.model_dump_json())
    assert again.image_url.url == item.image_url


def test_the_json_schema_of_the_parameters_can_be_made():
    class Shot(BaseModel):
        params: VideoGenerationParams

    assert "VideoContentItem" in Shot.model_json_schema()["$defs"]
