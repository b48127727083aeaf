"""Every protocol that the fake upstream speaks, one line each."""

from .alibaba.dialect import Alibaba
from .fake.ark import Ark
from .fake.dialect import Dialect
from .fake.openai_videos import OpenAIVideos
from .fal.dialect import Fal
from .google.dialect import Google
from .kling.dialect import Kling
from .luma.dialect import Luma
from .minimax.dialect import MiniMax
from .openrouter.dialect import OpenRouter
from .pixverse.dialect import PixVerse
from .replicate.dialect import Replicate
from .runway.dialect import Runway
from .vidu.dialect import Vidu
from .xai.dialect import XAI


def every_dialect() -> tuple[Dialect, ...]:
    """A fresh instance of each."""
    return (
        Ark("byteplus"),
        Ark("volcengine", "/volcengine/api/v3"),
        OpenAIVideos(),
        Fal(),
        Replicate(),
        Luma(),
        Runway(),
        Google(),
        XAI(),
        Kling(),
        MiniMax(),
        Alibaba(),
        Vidu(),
        PixVerse(),
        OpenRouter(),
    )
