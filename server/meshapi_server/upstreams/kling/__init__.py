"""Kling's own API: the model is in the path; the older path family is asked for models named ``kling-v…``."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import Kling

__all__ = ["KLING", "Kling"]

_WEBHOOK_SECRET = ("MESHAPI_KLING_WEBHOOK_SECRET",)


def _build(options: Mapping[str, str]) -> Adapter:
    return Kling(signs="webhook_secret" in options)


# Whether callbacks are signed is the account's choice, so the secret stands among the options, too; the
# adapter keeps nothing of it but that there is one.
KLING = Registration(
    name="kling",
    build=_build,
    credentials={
        "key": ("KLING_API_KEY",),
        "access": ("KLING_ACCESS_KEY",),
        "secret": ("KLING_SECRET_KEY",),
        "webhook_secret": _WEBHOOK_SECRET,
    },
    options={"webhook_secret": _WEBHOOK_SECRET},
    needs=(("key",), ("access", "secret")),
    base_url=Kling.base_url,
)
