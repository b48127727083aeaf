"""Input pictures: told apart from everything else people send, measured before they are decoded, and
brought to the size of a frame.

A picture file is hostile until shown otherwise: its size on disk, its format and its pixel count are
checked from its header, so that a small file cannot unpack into gigabytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageOps

from meshapi_renderer import imaging
from meshapi_renderer.array_types import Bytes8
from meshapi_renderer.job import InvalidInput

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_BYTES: Final = 30 * 1024 * 1024
MAX_PIXELS: Final = 36_000_000
MAX_SIDE: Final = 16_384
MIN_SIDE: Final = 64

_ACCEPTED: Final = "accepted are JPEG, PNG, WebP, BMP, GIF (its first frame) and TIFF"
_EXIF_ORIENTATION: Final = 0x0112
_TURNED: Final = frozenset({5, 6, 7, 8})
_FOCUS_X, _FOCUS_Y = 0.5, 0.45
"""Where a crop keeps its centre: faces and horizons sit a little above the middle."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the header of a picture says; width and height as it is meant to be seen."""

    format: str
    width: int
    height: int


def inspect_picture(path: str, field: str) -> PictureInfo:
    """Return format and size of a picture without decoding its pixels.

    Raises:
        InvalidInput: naming `field`, what was found instead, and what is accepted.
    """
    with _opened(path, field) as picture:
        width, height = picture.size
        if _orientation(picture) in _TURNED:
            width, height = height, width
        return PictureInfo(picture.format or "", width, height)


def load_picture(path: str, field: str, width: int, height: int) -> Bytes8:
    """Return a picture as RGB bytes of shape (height, width, 3).

    The picture fills the frame and is cropped where its shape differs. Its EXIF orientation is honoured,
    transparency is laid on white, an animation gives its first frame.

    Raises:
        InvalidInput: naming `field`, what was found instead, and what is accepted.
    """
    with _opened(path, field) as picture:
        try:
            pixels = _decoded(picture, width, height)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise anything at all on damaged files
            raise InvalidInput(
                field, f"is a damaged or cut off {picture.format} file; {_ACCEPTED}"
            ) from error
    return cover(pixels, width, height)


def load_picture_with_alpha(path: str, field: str, longest: int) -> Bytes8:
    """Return a picture as upright RGBA bytes, shape (height, width, 4), no side longer than ``longest``.

    Raises:
        InvalidInput: naming `field`, what was found instead, and what is accepted.
    """
    with _opened(path, field) as picture:
        try:
            picture.draft("RGB", (longest, longest))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith(("I", "F")):
                upright = Image.fromarray(_eight_bits(upright))
            clear = upright.convert("RGBA")
            clear.thumbnail((longest, longest), Image.Resampling.LANCZOS)
            return np.asarray(clear, np.uint8)
        except MemoryError:
            raise
        except Exception as error:  # decoders raise anything at all on damaged files
            raise InvalidInput(
                field, f"is a damaged or cut off {picture.format} file; {_ACCEPTED}"
            ) from error


def cover(picture: Bytes8, width: int, height: int) -> Bytes8:
    """Return the picture scaled to fill width x height, cropped where its shape differs.

    The crop comes first, so that a very long picture is never enlarged as a whole.
    """
    tall, wide = picture.shape[:2]
    scale = max(width / wide, height / tall)
    crop_width = min(wide, max(1, round(width / scale)))
    crop_height = min(tall, max(1, round(height / scale)))
    left, top = round((wide - crop_width) * _FOCUS_X), round((tall - crop_height) * _FOCUS_Y)
    part = picture[top : top + crop_height, left : left + crop_width]
    if part.shape[:2] == (height, width):
        return np.ascontiguousarray(part)
    method = imaging.AREA if scale < 1 else imaging.CUBIC
    return imaging.resize(np.ascontiguousarray(part), width, height, method)


@contextmanager
def _opened(path: str, field: str) -> Iterator[Image.Image]:
    head = _head(path, field)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        problem = f"has far more pixels than the {MAX_PIXELS // 10**6} million that are accepted"
        raise InvalidInput(field, problem) from error
    except Exception as error:  # decoders raise anything at all on damaged files
        raise InvalidInput(field, f"is {_kind(head)}, not a picture that can be read; {_ACCEPTED}") from error
    with picture:
        _check_size(picture.size, field)
        yield picture


def _head(path: str, field: str) -> bytes:
    """Return the first bytes of the file after checking its size on disk."""
    file = Path(path)
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise InvalidInput(field, "is not a file")
        with file.open("rb") as stream:
            head = stream.read(2048)
    except OSError as error:
        raise InvalidInput(field, f"cannot be read: {error.strerror or type(error).__name__}") from error
    if size > MAX_BYTES:
        raise InvalidInput(
            field, f"has {size / 2**20:.1f} MiB; pictures of up to {MAX_BYTES // 2**20} MiB are accepted"
        )
    return head


def _check_size(size: tuple[int, int], field: str) -> None:
    width, height = size
    if min(width, height) < MIN_SIDE:
        raise InvalidInput(field, f"is {width}x{height} pixels; each side must have at least {MIN_SIDE}")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidInput(
            field,
            f"is {width}x{height} pixels; at most {MAX_PIXELS // 10**6} million pixels "
            f"and {MAX_SIDE} a side are accepted",
        )


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a damaged tag is no tag
        return 1


def _decoded(picture: Image.Image, width: int, height: int) -> Bytes8:
    """Decode to upright RGB, already reduced by a whole factor where the picture is much larger.

    The longer side of the frame bounds the reduction, because the picture may still be turned.
    """
    needed = max(width, height)
    picture.draft("RGB", (needed, needed))  # JPEG decodes at 1/2, 1/4 or 1/8 at less cost
    picture.load()
    flat = _flattened(picture)
    factor = min(flat.size) // needed
    if factor > 1:
        flat = flat.reduce(factor)
    orientation = _orientation(picture)
    if orientation != 1:
        flat.getexif()[_EXIF_ORIENTATION] = orientation
        flat = ImageOps.exif_transpose(flat)
    return np.asarray(flat, np.uint8)


def _flattened(picture: Image.Image) -> Image.Image:
    """Return the picture as RGB, transparency on white."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(picture)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        white = Image.new("RGB", clear.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Bytes8:
    """Return a grey picture of 16 or more bits as 8 bits: by its type, or its range where that is open."""
    values = np.asarray(picture, np.float32)
    top = 1.0 if picture.mode == "F" and float(values.max()) <= 1.0 else 65535.0
    return cv2.convertScaleAbs(np.clip(values, 0, top), alpha=255.0 / top).astype(np.uint8, copy=False)


def _kind(head: bytes) -> str:
    """Name what a file is that is not an accepted picture."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty file"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if b"<svg" in start:
        return "an SVG drawing"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(b"RIFF"):
        return "a damaged WebP file" if head[8:12] == b"WEBP" else "a sound or video file"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video file")
    if start.startswith((b"{", b"[")):
        return "JSON text"
    return "text" if _is_text(head) else "data of an unknown kind"


_SIGNATURES: Final = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x1aE\xdf\xa3", "a video file"),
    (b"\xff\xd8\xff", "a damaged JPEG file"),
    (b"\x89PNG", "a damaged PNG file"),
    (b"GIF8", "a damaged GIF file"),
    (b"II*\0", "a damaged TIFF file"),
    (b"MM\0*", "a damaged TIFF file"),
    (b"8BPS", "a Photoshop file"),
    (b"<?xml", "an XML document"),
)
_BRANDS: Final = {
    b"heic": "a HEIC picture",
    b"heix": "a HEIC picture",
    b"mif1": "a HEIC picture",
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
}


def _is_text(head: bytes) -> bool:
    # The head may end inside a character, so a few bytes at its end are forgiven.
    for cut in range(4):
        try:
            text = head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
        return all(letter.isprintable() or letter.isspace() for letter in text)
    return False
