"""What kind of file some bytes are, by how they begin."""

_BEGINNINGS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
)
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/tiff": "tif",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
}


def media_type_of(data: bytes) -> str:
    """The media type; ``application/octet-stream`` for what is not known."""
    for offset, beginning, media_type in _BEGINNINGS:
        if data.startswith(beginning, offset):
            return media_type
    return "application/octet-stream"


def extension_of(media_type: str) -> str:
    """The usual extension of a media type, without the dot."""
    return _EXTENSIONS.get(media_type) or media_type.partition("/")[2].partition("+")[0] or "bin"
