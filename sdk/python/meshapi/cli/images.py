"""Pictures given on the command line: URLs as they are, files as data URIs."""

import base64
import mimetypes
from pathlib import Path
from typing import Any

import typer

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
# The request as a whole may have 32 MiB, and base64 makes four bytes of three.
MAX_BYTES = 20 * 1024 * 1024


def items(images: list[str]) -> list[dict[str, Any]]:
    """Content items: one image is the first frame, two are first and last frame, more are references."""
    roles = {0: (), 1: ("first_frame",), 2: ("first_frame", "last_frame")}.get(
        len(images), ("reference_image",) * len(images)
    )
    return [
        {"type": "image_url", "image_url": {"url": url_of(image)}, "role": role}
        for image, role in zip(images, roles, strict=True)
    ]


def url_of(image: str) -> str:
    """The URL itself, or a data URI of the file."""
    if image.startswith(("http://", "https://", "data:")):
        return image
    path = Path(image).expanduser()
    if not path.is_file():
        raise typer.BadParameter(f"{image!r} is neither a URL nor a file", param_hint="--image")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise typer.BadParameter(
            f"{image!r} has {size / 2**20:.1f} MiB; at most {MAX_BYTES // 2**20} MiB can be sent",
            param_hint="--image",
        )
    content = path.read_bytes()
    return f"data:{_type_of(path, content)};base64,{base64.b64encode(content).decode()}"


def _type_of(path: Path, content: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    guessed = mimetypes.guess_type(path.name)[0]
    if guessed and guessed.startswith("image/"):
        return guessed
    raise typer.BadParameter(f"{str(path)!r} is not a picture of a kind I know", param_hint="--image")
