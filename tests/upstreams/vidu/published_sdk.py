"""What Vidu's own published client (``vidu-mcp``) makes of the fake: each route, polling, errors."""

import hashlib
import json
import os
import sys
import urllib.request

host, key, frame = sys.argv[1:]
os.environ.update(VIDU_API_HOST=host, VIDU_API_KEY=key)

from vidu_mcp import server  # noqa: E402 - it reads the environment when it is imported
from vidu_mcp.client import ViduAPIClient  # noqa: E402
from vidu_mcp.exceptions import ViduAPIError  # noqa: E402

pauses = []
server.time.sleep = pauses.append  # the fake's clock moves with every look
seen = {}


def made(result):
    told = json.loads(result)
    with urllib.request.urlopen(told["video_url"]) as video:
        return [told["status"], hashlib.sha256(video.read()).hexdigest()]


seen["text"] = made(server.generate_text_to_video(prompt="a paper boat"))
seen["pauses"] = len(pauses) > 1
seen["image"] = made(server.generate_img_to_video(image=frame, prompt="a paper boat"))
seen["frames"] = made(server.generate_startend2video_to_video(images=[frame, frame], prompt="a paper boat"))
seen["references"] = made(server.generate_reference2video_to_video(images=[frame], prompt="a paper boat"))
seen["withheld"] = "Video generation failed" in server.generate_text_to_video(prompt="a paper boat")
seen["refused"] = "400 Client Error" in server.generate_text_to_video(prompt="a paper boat")
try:
    ViduAPIClient("wrong", host).post("/ent/v2/text2video", json={"model": "viduq1", "prompt": "no"})
except ViduAPIError as fault:
    seen["wrong_key"] = "401 Client Error" in str(fault)
print(json.dumps(seen))
