"""Any server that speaks ``/v1/videos``: SGLang Diffusion, vLLM-Omni, Dynamo, LiteLLM."""

from meshapi_server.upstreams.adapter import Registration

from .adapter import OpenAIVideos, build

__all__ = ["OPENAI_VIDEOS", "OpenAIVideos"]

OPENAI_VIDEOS = Registration(
    name="openai-videos",
    build=build,
    credentials={"key": ("MESHAPI_OPENAI_VIDEOS_API_KEY",)},
)
