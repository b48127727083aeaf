"""Input pictures: every accepted format decodes, everything else is refused by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from meshapi_renderer.job import InvalidInput
from meshapi_renderer.pictures import MAX_BYTES, PictureInfo, cover, inspect_picture, load_picture

Photo = Callable[..., str]
Painter = Callable[..., NDArray[np.uint8]]


def _png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds almost no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.gif", "a.tiff"])
def test_every_accepted_format_decodes_to_the_picture(name: str, photo: Photo, painted: Painter) -> None:
    path = photo(name, 320, 240)
    info = inspect_picture(path, "first_frame")
    assert (info.width, info.height) == (320, 240)
    loaded = load_picture(path, "first_frame", 320, 240)
    assert loaded.shape == (240, 320, 3)
    assert np.abs(loaded.astype(int) - painted(320, 240)).mean() < 4


def test_a_lossless_picture_of_the_frame_size_is_taken_exactly(photo: Photo, painted: Painter) -> None:
    assert np.array_equal(load_picture(photo(), "first_frame", 864, 480), painted(864, 480))


def test_a_file_is_known_by_its_content_not_its_name(photo: Photo, tmp_path: Path) -> None:
    renamed = Path(photo("a.png")).rename(tmp_path / "a.jpg")
    assert inspect_picture(str(renamed), "first_frame") == PictureInfo("PNG", 864, 480)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        (b"\xef\xbb\xbf\n <html></html>", "an HTML page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><svg width='9'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?><a/>", "an XML document"),
        (b'{"error": "not found"}', "JSON text"),
        ("schöne Grüße".encode(), "text"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04rest", "a ZIP archive"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video file"),
        (b"\x89PNG\r\n\x1a\n", "a damaged PNG file"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a damaged JPEG file"),
        (bytes(range(128, 256)) * 3, "data of an unknown kind"),
    ],
)
def test_what_is_no_picture_is_named_for_what_it_is(content: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        load_picture(str(path), "first_frame", 320, 240)
    assert str(caught.value).startswith(f"first_frame: is {found}")
    assert "accepted are JPEG, PNG, WebP, BMP, GIF" in str(caught.value)
    assert str(tmp_path) not in str(caught.value), "paths of the server are nobody's business"


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp"])
def test_a_cut_off_picture_is_refused(name: str, photo: Photo) -> None:
    path = Path(photo(name, 400, 300))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(InvalidInput, match="damaged"):
        load_picture(str(path), "last_frame", 320, 240)


def test_a_picture_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_header(20_000, 20_000))
    with pytest.raises(InvalidInput, match="far more pixels than the 36 million that are accepted"):
        inspect_picture(str(path), "first_frame")
    path.write_bytes(_png_header(8000, 8000))
    with pytest.raises(InvalidInput, match="is 8000x8000 pixels; at most 36 million pixels"):
        load_picture(str(path), "first_frame", 320, 240)


def test_a_very_long_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(_png_header(20_000, 70))
    with pytest.raises(InvalidInput, match="16384 a side"):
        load_picture(str(path), "first_frame", 320, 240)


def test_a_tiny_picture_is_refused(photo: Photo) -> None:
    with pytest.raises(InvalidInput, match="is 100x63 pixels; each side must have at least 64"):
        load_picture(photo("a.png", 100, 63), "first_frame", 320, 240)


def test_a_file_that_is_too_big_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidInput, match=r"has 30\.0 MiB; pictures of up to 30 MiB"):
        load_picture(str(path), "first_frame", 320, 240)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="first_frame: cannot be read: No such file"):
        load_picture(str(tmp_path / "none.png"), "first_frame", 320, 240)
    with pytest.raises(InvalidInput, match="first_frame: is not a file"):
        load_picture(str(tmp_path), "first_frame", 320, 240)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.png"])
def test_the_camera_orientation_is_honoured(name: str, tmp_path: Path, painted: Painter) -> None:
    upright = painted(300, 400)
    stored = Image.fromarray(np.rot90(upright).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    path = tmp_path / name
    stored.save(path, exif=exif, quality=95)
    info = inspect_picture(str(path), "first_frame")
    assert (info.width, info.height) == (300, 400)
    loaded = load_picture(str(path), "first_frame", 300, 400)
    assert np.abs(loaded.astype(int) - upright).mean() < 4


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[:, 50:] = (200, 0, 0, 255)
    path = tmp_path / "alpha.png"
    Image.fromarray(pixels).save(path)
    loaded = load_picture(str(path), "first_frame", 100, 100)
    assert loaded[50, 10].tolist() == [255, 255, 255]
    assert loaded[50, 90].tolist() == [200, 0, 0]


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((80, 80, 3), value, np.uint8)) for value in (250, 10)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert load_picture(str(path), "first_frame", 80, 80).mean() > 240


def test_a_sixteen_bit_grey_picture_keeps_its_range(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 65535, 128).astype(np.uint16), (128, 1))
    path = tmp_path / "grey.png"
    Image.fromarray(ramp).save(path)
    loaded = load_picture(str(path), "first_frame", 128, 128)
    assert loaded[0, 0, 0] == 0
    assert loaded[0, -1, 0] == 255
    assert 120 < loaded[0, 64, 0] < 136


def test_a_large_picture_is_reduced_to_what_the_frame_needs(photo: Photo, painted: Painter) -> None:
    small = load_picture(photo("large.jpg", 1500, 1000), "first_frame", 300, 200)
    assert np.abs(small.astype(int) - painted(300, 200)).mean() < 4


def test_a_crop_keeps_the_middle_and_never_distorts(painted: Painter) -> None:
    wide = painted(800, 200)
    square = cover(wide, 200, 200)
    assert np.array_equal(square, wide[:, 300:500])
    assert cover(wide, 64, 300).shape == (300, 64, 3)
