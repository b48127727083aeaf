"""Pictures from this machine: a file, bytes or an open image become a data URI, before anything is sent."""

from __future__ import annotations

import os
from typing import Any, Protocol, runtime_checkable

from .errors import MediaError

# The request as a whole may have 32 MiB (wire.md section 1), and base64 makes four bytes of three.
MAX_PICTURE_BYTES = 20 * 2**20
URL_BEGINNINGS = ("http://", "https://", "data:")
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_ISO_BRANDS = {b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heif"}
# What PNG can hold; pictures of other modes are converted.
_PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"})


@runtime_checkable
class OpenImage(Protocol):
    """A ``PIL.Image.Image``, or what saves itself like one."""

    @property
    def mode(self) -> str:
        """The kind of its pixels, such as ``RGB``."""

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:  # noqa: A002 - as PIL has it
        """Write it."""

    def convert(self, mode: str) -> OpenImage:
        """The same with other pixels."""


def address(source: Any) -> Any:
    """A data URI for a path, bytes or an open image; anything else (a URL as text, an object) as it is."""
    if source is None or isinstance(source, str):
        return source
    if isinstance(source, os.PathLike):
        return _of_file(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return _data_uri(bytes(source), "the picture given as bytes")
    if isinstance(source, OpenImage):
        return _of_image(source)
    return source


def url_or_file(source: Any) -> Any:
    """``address``, where text that is no URL names a file."""
    if isinstance(source, str) and not source.startswith(URL_BEGINNINGS):
        from pathlib import Path

        return _of_file(Path(source))
    return address(source)


def shortened(value: Any) -> Any:
    """A long data URI as what it is about, for showing."""
    if isinstance(value, str) and value.startswith("data:") and len(value) > 80:
        return f"{value[:40]}... ({len(value)} characters)"
    return value


def _of_file(path: os.PathLike[str]) -> str:
    name = os.fspath(path)
    try:
        size = os.stat(name).st_size  # noqa: PTH116 - any path-like object
        if size <= MAX_PICTURE_BYTES:
            with open(name, "rb") as file:  # noqa: PTH123
                return _data_uri(file.read(), repr(name))
    except OSError as error:
        raise MediaError(f"the picture {name!r} cannot be read: {error.strerror or error}") from error
    raise _too_large(repr(name), size)


def _of_image(image: OpenImage) -> str:
    import io

    held = io.BytesIO()
    try:
        (image if image.mode in _PNG_MODES else image.convert("RGB")).save(held, format="PNG")
    except (OSError, ValueError) as error:
        raise MediaError(f"the open image cannot be written as PNG: {error}") from error
    return _data_uri(held.getvalue(), "the open image, as PNG,")


def _data_uri(content: bytes, told: str) -> str:
    import base64

    if len(content) > MAX_PICTURE_BYTES:
        raise _too_large(told, len(content))
    return f"data:{_kind(content, told)};base64,{base64.b64encode(content).decode()}"


def _kind(content: bytes, told: str) -> str:
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _ISO_BRANDS:
        return _ISO_BRANDS[content[8:12]]
    found = f"it begins {content[:8]!r}" if content else "it is empty"
    raise MediaError(
        f"{told} is not a picture of a known kind ({found}); known are PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF"
        " and HEIC"
    )


def _too_large(told: str, size: int) -> MediaError:
    return MediaError(
        f"{told} has {size / 2**20:.1f} MiB; at most {MAX_PICTURE_BYTES // 2**20} MiB can be sent within a"
        " request. Make it smaller, or give its http(s) URL"
    )
