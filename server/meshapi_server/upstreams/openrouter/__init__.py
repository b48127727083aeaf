"""OpenRouter's videos: one more route to other vendors' models."""

from collections.abc import Mapping

from meshapi_server.upstreams.adapter import Adapter, Registration

from .adapter import OpenRouter

__all__ = ["OPENROUTER", "OpenRouter"]

_WEBHOOK_SECRET = ("OPENROUTER_WEBHOOK_SECRET",)


def _build(options: Mapping[str, str]) -> Adapter:
    return OpenRouter(options.get(Registration.BASE_URL, ""), signs="webhook_secret" in options)


# Whether callbacks are signed is the workspace's choice, so the secret stands among the options, too; the
# adapter keeps nothing of it but that there is one.
OPENROUTER = Registration(
    name="openrouter",
    build=_build,
    credentials={"key": ("OPENROUTER_API_KEY",), "webhook_secret": _WEBHOOK_SECRET},
    options={"webhook_secret": _WEBHOOK_SECRET},
    needs=(("key",),),
    base_url=OpenRouter.base_url,
)
