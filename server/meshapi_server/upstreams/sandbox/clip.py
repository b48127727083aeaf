"""The facts of the packaged clip, which ``python -m meshapi_server.upstreams.sandbox.clip`` renders anew."""

import asyncio
from pathlib import Path
from typing import Any

from meshapi_renderer import job as protocol
from meshapi_server.upstreams.diorama import process

FRAMES, FPS = 48, 24
CLIP_FACTS: dict[str, Any] = {
    "resolution": "480p",
    "ratio": "16:9",
    "duration": FRAMES / FPS,
    "frames": FRAMES,
    "fps": FPS,
    "width": 864,
    "height": 480,
    "audio": True,
}


async def _ignore(_: protocol.Progress) -> None:
    return None


def write(folder: Path) -> None:
    """Render the clip and its last frame into ``folder``."""
    job = protocol.Job(
        prompt="abstract neon waves of light",
        seed=1,
        frames=FRAMES,
        resolution="480p",
        draft=True,
        watermark=True,
        return_last_frame=True,
        output=str(folder / "clip.mp4"),
        last_frame_output=str(folder / "last_frame.png"),
    )
    ended = asyncio.run(process.render(job, _ignore))
    if isinstance(ended, protocol.Failed):
        raise SystemExit(ended.message)


if __name__ == "__main__":
    write(Path(__file__).parent)
