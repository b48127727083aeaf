"""What PixVerse's own published client (``pixverse-mcp``) makes of the fake: uploads, each route, errors."""

import asyncio
import hashlib
import json
import sys
import urllib.request

from loguru import logger
from pixverse_mcp import PixverseAPIError, PixverseAuthError, PixverseClient
from pixverse_mcp.models.requests import ImageToVideoRequest, TextToVideoRequest, TransitionVideoRequest
from tenacity import stop_after_attempt

host, key, frame = sys.argv[1:]
logger.remove()
PixverseClient._make_request.retry.stop = stop_after_attempt(1)


class Client(PixverseClient):
    """Without its pause of a second between requests."""

    async def _handle_rate_limit(self):
        pass


def digest(url):
    with urllib.request.urlopen(url) as file:
        return hashlib.sha256(file.read()).hexdigest()


async def finish(client, made):
    statuses = []
    while True:
        video = await client.get_video_result(made.video_id)
        if video.status.value not in statuses:
            statuses.append(video.status.value)
        if video.status.value in {"completed", "failed"}:
            return statuses, video


async def main():
    seen = {}
    usual = {"prompt": "a paper boat", "model": "v5", "duration": 5, "quality": "540p"}
    async with Client(key, base_url=host) as client:
        made = await client.text_to_video(TextToVideoRequest(**usual, seed=11))
        seen["statuses"], video = await finish(client, made)
        seen["sha256"] = await asyncio.to_thread(digest, video.url)
        seen["seed"], seen["size"] = video.seed, [video.width, video.height]
        first = await client.upload_image(file_path=frame)
        last = await client.upload_image(image_url="https://x.example/b.png")
        image = ImageToVideoRequest(**usual, img_id=first.img_id)
        seen["image"] = (await finish(client, await client.image_to_video(image)))[0]
        frames = TransitionVideoRequest(**usual, first_frame_img=first.img_id, last_frame_img=last.img_id)
        seen["withheld"] = (await finish(client, await client.transition_video(frames)))[0]
        try:
            await client.text_to_video(TextToVideoRequest(**usual))
        except PixverseAPIError as fault:
            seen["refused"] = fault.error_code
    async with Client("wrong", base_url=host) as client:
        try:
            await client.text_to_video(TextToVideoRequest(**usual))
        except PixverseAuthError as fault:
            seen["wrong_key"] = fault.error_code
    return seen


print(json.dumps(asyncio.run(main())))
