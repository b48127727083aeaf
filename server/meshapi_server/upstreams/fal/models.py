"""What the endpoints of fal call their inputs: each family of models has its own names.

Source: the endpoints as they were listed in November 2026. Of the families that stand here as plain only the
names of their endpoints are known; they are asked in the words that most others use. A card's upstream id is
the stem of a model's endpoints; ``text`` and ``image`` are the paths below it.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct


class Family(Struct, frozen=True, kw_only=True):
    """One family's endpoints and fields. None: it has no such field.

    ``duration``: ``5`` as it is, ``"5"`` as text, or ``"5s"`` as text with its unit; ``decides`` is the word
    that leaves the length to the model. ``capitals``: resolutions are spelled ``768P``.
    """

    text: str = "text-to-video"
    image: str = "image-to-video"
    first: str | None = "image_url"
    last: str | None = None
    duration: Literal["number", "text", "seconds"] = "number"
    decides: str | None = None
    capitals: bool = False
    ratio: str | None = "aspect_ratio"
    audio: str | None = "generate_audio"


_VEO = Family(text="", duration="seconds")
_KLING = Family(first="start_image_url", last="end_image_url", duration="text")
_H3 = Family(last="end_image_url", capitals=True, ratio=None, audio=None)
_WAN = Family(first="start_image_url", last="end_image_url", audio="audio")
_PLAIN = Family()

FAMILIES: Mapping[str, Family] = {
    "fal-ai/veo3.1": _VEO,
    "fal-ai/veo3.1/fast": _VEO,
    "fal-ai/kling-video/v3/standard": _KLING,
    "fal-ai/kling-video/v3/pro": _KLING,
    "fal-ai/kling-video/v3/4k": _KLING,
    "minimax/h3": _H3,
    "minimax/h3-max": _H3,
    "bytedance/seedance-2.5": Family(duration="text", decides="auto"),
    "alibaba/wan-3.0": _WAN,
    "alibaba/wan-3.0-prime": _WAN,
    "lightricks/ltx-2.5": Family(ratio=None),
    "fal-ai/luma-dream-machine/ray-2": Family(text=""),
    "luma/agent/ray/v3.2": _PLAIN,
    "fal-ai/vidu/q3": _PLAIN,
    "pixverse/v6": _PLAIN,
    "xai/grok-imagine-video/v1.5": _PLAIN,
}
UNKNOWN = Family(text="", image="")
"""For an endpoint of the operator's own card: it is called as it is named, with the usual fields."""
