"""ByteDance's Ark: BytePlus ModelArk (international) and Volcengine (China). One protocol, two clouds."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .ark import Ark

__all__ = ["BYTEPLUS", "VOLCENGINE", "Ark"]

_INTERNATIONAL = "https://ark.ap-southeast.bytepluses.com/api/v3"
_CHINA = "https://ark.cn-beijing.volces.com/api/v3"


def _byteplus(_: Mapping[str, str]) -> Adapter:
    return Ark("byteplus", _INTERNATIONAL)


def _volcengine(_: Mapping[str, str]) -> Adapter:
    return Ark("volcengine", _CHINA)


BYTEPLUS = Registration(
    name="byteplus",
    build=_byteplus,
    credentials={"key": ("ARK_API_KEY", "BYTEPLUS_API_KEY")},
    base_url=_INTERNATIONAL,
)
VOLCENGINE = Registration(
    name="volcengine",
    build=_volcengine,
    credentials={"key": ("VOLCENGINE_API_KEY",)},
    base_url=_CHINA,
)
