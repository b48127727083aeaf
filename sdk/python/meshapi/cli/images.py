"""Pictures given on the command line: URLs as they are, files as data URIs."""

from __future__ import annotations

from typing import Any

import typer


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
    from pathlib import Path

    from meshapi._pictures import URL_BEGINNINGS, address
    from meshapi.errors import MediaError

    if image.startswith(URL_BEGINNINGS):
        return image
    path = Path(image).expanduser()
    if not path.is_file():
        raise typer.BadParameter(f"{image!r} is neither a URL nor a file", param_hint="--image")
    try:
        return str(address(path))
    except MediaError as error:
        raise typer.BadParameter(str(error), param_hint="--image") from None
