"""Which fields each model takes on each route, and its exact sizes. Facts of ``runwayml`` 5.24.0.

Runway refuses a field that a model lacks, and tells shape and resolution together as pixels (``1280:720``).
The words: ``sizes`` (such pixels), ``auto`` (``auto_720p``: the shape follows the input), ``ratio`` and
``resolution`` (words of their own), ``shape`` (the target shape of a changed video), ``duration``, ``any``
(``"auto"`` is a duration), ``audio``, ``seed``, ``negative``, ``draft``, ``format``; and the inputs
``references``, ``videos`` and ``audios``.
"""

from collections.abc import Mapping

from msgspec import Struct

Sizes = Mapping[str, tuple[str, ...]]


class Model(Struct, frozen=True, kw_only=True):
    """One model: its sizes by resolution, and what each route takes; None where it has no such route."""

    sizes: Sizes = {}
    text: frozenset[str] | None = None
    image: frozenset[str] | None = None
    video: frozenset[str] | None = None
    video_field: str = "promptVideo"


def _takes(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GEN4 = {"720p": ("1280:720", "720:1280", "1104:832", "960:960", "832:1104", "1584:672")}
_VEO = {"720p": ("1280:720", "720:1280"), "1080p": ("1920:1080", "1080:1920")}
_720 = {"720p": ("1280:720", "720:1280", "960:960")}
_1080 = {"1080p": ("1920:1080", "1080:1920", "1440:1440")}
_4K = {"4k": ("3840:2160", "2160:3840", "2880:2880")}
_KLING_25 = {"720p": ("1280:720", "720:1280", "720:720"), "1080p": ("1920:1080", "1080:1920", "1440:1440")}
_KLING_4 = {
    "720p": ("1280:720", "720:1280", "940:940", "1460:624"),
    "1080p": ("1920:1080", "1080:1920", "1440:1440", "2200:940"),
}
_SEEDANCE_480 = ("864:496", "496:864", "752:560", "640:640", "560:752", "992:432")
_SEEDANCE_720 = ("1280:720", "720:1280", "1112:834", "960:960", "834:1112", "1470:630")
_SEEDANCE_1080 = ("1920:1080", "1080:1920", "1664:1248", "1440:1440", "1248:1664", "2206:946")
_SEEDANCE_FAST = {"480p": _SEEDANCE_480, "720p": _SEEDANCE_720}
_SEEDANCE_2 = {
    **_SEEDANCE_FAST,
    "1080p": _SEEDANCE_1080,
    "4k": ("3840:2160", "2160:3840", "3840:2880", "3840:3840", "2880:3840", "3840:1646"),
}
_SEEDANCE_25 = {
    "480p": ("854:480", "480:854", "752:560", "640:640", "560:752", "992:432"),
    "720p": _SEEDANCE_720,
    "1080p": _SEEDANCE_1080,
}
_WAN = {
    "480p": ("832:480", "480:832", "720:544", "624:624", "544:720"),
    "720p": ("1280:720", "720:1280", "1104:832", "960:960", "832:1104"),
    "1080p": ("1920:1080", "1080:1920", "1648:1248", "1440:1440", "1248:1648"),
}
_OMNI = {
    "360p": ("640:360", "360:640"),
    "720p": ("1280:720", "720:1280"),
    "1080p": ("1920:1080", "1080:1920"),
    "4k": ("3840:2160", "2160:3840"),
}
_HAPPYHORSE = {
    "720p": ("1280:720", "720:1280", "960:960", "1108:832", "832:1108"),
    "1080p": ("1920:1080", "1080:1920", "1440:1440", "1662:1248", "1248:1662"),
}
_GROK_LITE = {
    "480p": ("848:480", "480:848", "480:480", "640:480", "480:640", "720:480", "480:720"),
    "720p": ("1280:720", "720:1280", "720:720", "960:720", "720:960", "1088:720", "720:1088"),
    "1080p": ("1904:1072", "1072:1904", "1424:1424", "1648:1232", "1232:1648", "1744:1152", "1152:1744"),
}

_VEO_TAKES = _takes("sizes duration audio seed negative")
_KLING_TAKES = _takes("sizes duration audio")
_REFERENCES = _takes("references videos audios")
_SEEDANCE_TAKES = _takes("sizes duration any audio seed audios")
_SEEDANCE_25_TAKES = _SEEDANCE_TAKES | _takes("draft format")
_WAN_TAKES = _takes("duration audio audios videos")
_HAILUO_TAKES = _takes("ratio resolution duration audios")


def _veo() -> Model:
    return Model(sizes=_VEO, text=_VEO_TAKES, image=_VEO_TAKES)


def _kling(sizes: Sizes) -> Model:
    return Model(sizes=sizes, text=_KLING_TAKES, image=_KLING_TAKES)


def _seedance(sizes: Sizes, takes: frozenset[str] = _SEEDANCE_TAKES) -> Model:
    return Model(sizes=sizes, text=takes | _REFERENCES, image=takes, video=takes | _REFERENCES)


def _wan() -> Model:
    text = _WAN_TAKES | _takes("sizes references")
    return Model(sizes=_WAN, text=text, image=_WAN_TAKES | _takes("auto"))


MODELS: Mapping[str, Model] = {
    "gen4.5": Model(
        sizes=_GEN4, text=_takes("sizes duration seed format"), image=_takes("sizes duration seed format")
    ),
    "gen4_turbo": Model(sizes=_GEN4, image=_takes("sizes duration seed")),
    "aleph2": Model(video=_takes("shape seed format"), video_field="videoUri"),
    "veo3.1": _veo(),
    "veo3.1_fast": _veo(),
    "seedance2": _seedance(_SEEDANCE_2),
    "seedance2_fast": _seedance(_SEEDANCE_FAST),
    "seedance2_mini": _seedance(_SEEDANCE_FAST),
    "seedance2_5": _seedance(_SEEDANCE_25, _SEEDANCE_25_TAKES),
    "kling3.0_standard": _kling(_720),
    "kling3.0_pro": _kling(_1080),
    "kling3.0_4k": _kling(_4K),
    "klingO3_standard": _kling(_720),
    "klingO3_pro": _kling(_1080),
    "klingO3_4k": _kling(_4K),
    "kling2.5_turbo_pro": Model(sizes=_KLING_25, text=_takes("sizes duration"), image=_takes("duration")),
    "kling_4": Model(
        sizes=_KLING_4, text=_takes("sizes duration references videos"), image=_takes("auto duration")
    ),
    "hailuo3": Model(text=_HAILUO_TAKES | _REFERENCES, image=_HAILUO_TAKES),
    "h3_max": Model(text=_takes("resolution duration seed"), image=_takes("resolution duration seed")),
    "wan3": _wan(),
    "wan3_prime": _wan(),
    "grok_imagine_1_5": Model(
        text=_takes("ratio resolution duration references audios"), image=_takes("resolution duration")
    ),
    "grok_imagine_1_5_lite": Model(
        sizes=_GROK_LITE, text=_takes("sizes duration"), image=_takes("auto duration")
    ),
    "gemini_omni_flash": Model(
        sizes=_OMNI,
        text=_takes("sizes duration"),
        image=_takes("sizes duration"),
        video=_takes("references"),
        video_field="videoUri",
    ),
    "gemini_omni_flash_1.1": Model(
        sizes=_OMNI,
        text=_takes("sizes duration any references videos"),
        image=_takes("sizes duration any"),
        video=_takes("sizes duration any references"),
        video_field="videoUri",
    ),
    "happyhorse_1_0": Model(
        sizes=_HAPPYHORSE, text=_takes("sizes duration"), image=_takes("resolution duration")
    ),
}
"""The models of the SDK's types. Others are sent what they are asked for, and Runway judges."""

_ALL = _takes("sizes duration any audio seed negative draft format references videos audios")
UNKNOWN = Model(text=_ALL, image=_ALL, video=_ALL)
