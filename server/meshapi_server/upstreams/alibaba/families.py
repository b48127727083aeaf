"""Which words a model is asked in: the protocol has changed its inputs four times, its place only once.

Source: the API references of Model Studio for each generation of Wan.
"""

import re
from typing import Literal

Family = Literal[
    "media",  # a list of media with types: Wan 2.7, 3.0 and the other vendors' models
    "sized",  # text alone, and a size in pixels
    "image",  # one image
    "frames",  # a first and a last frame
    "references",  # characters from images and videos, and a size in pixels
    "speech",  # one image that speaks an audio
]
_WAN = re.compile(r"^wanx?(\d+)\.(\d+)")
_FIRST_WITH_MEDIA = (2, 7)
_OLDER: tuple[tuple[str, Family], ...] = (
    ("kf2v", "frames"),
    ("i2v", "image"),
    ("r2v", "references"),
    ("t2v", "sized"),
)
# Width and height in pixels; the separator is an asterisk.
SIZES = {
    ("480p", "16:9"): "832*480",
    ("480p", "9:16"): "480*832",
    ("480p", "1:1"): "624*624",
    ("720p", "16:9"): "1280*720",
    ("720p", "9:16"): "720*1280",
    ("720p", "1:1"): "960*960",
    ("720p", "4:3"): "1088*832",
    ("720p", "3:4"): "832*1088",
    ("1080p", "16:9"): "1920*1080",
    ("1080p", "9:16"): "1080*1920",
    ("1080p", "1:1"): "1440*1440",
    ("1080p", "4:3"): "1632*1248",
    ("1080p", "3:4"): "1248*1632",
}


def family_of(model: str) -> Family:
    """The family of a model by its id."""
    if "s2v" in model:
        return "speech"
    version = _WAN.match(model)
    if version is None or (int(version[1]), int(version[2])) >= _FIRST_WITH_MEDIA:
        return "media"
    return next((family for part, family in _OLDER if part in model), "sized")


def has_sound_switch(model: str) -> bool:
    """Whether the model can be asked for silence: Wan 3.0 and the flash models."""
    return model.startswith("wan3") or "flash" in model
