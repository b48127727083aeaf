"""What Alibaba's published ``dashscope`` package makes of the fake: tasks, uploads, cancel, list, errors."""

import hashlib
import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path

base_url, key = sys.argv[1:]
os.environ["DASHSCOPE_HTTP_BASE_URL"] = base_url  # read when the package is imported

from dashscope import VideoSynthesis  # noqa: E402

seen = {}


def submit(api_key=key, **wishes):
    wishes = {"model": "wan2.6-t2v", "prompt": "a paper boat", "size": "1280*720", **wishes}
    return VideoSynthesis.async_call(api_key=api_key, **wishes)


def status_of(task):
    return VideoSynthesis.fetch(task, api_key=key).output.task_status


def finish(task):
    statuses = []
    while not statuses or statuses[-1] not in {"SUCCEEDED", "FAILED", "CANCELED"}:
        status = status_of(task)
        if status not in statuses:
            statuses.append(status)
    return statuses


made = submit()
seen["statuses"] = finish(made)
done = VideoSynthesis.fetch(made, api_key=key)
with urllib.request.urlopen(done.output.video_url) as video:
    seen["sha256"] = hashlib.sha256(video.read()).hexdigest()
seen["size"] = done.usage["size"]

with tempfile.TemporaryDirectory() as folder:
    frame = Path(folder) / "frame.png"
    frame.write_bytes(b"pixels")
    media = [{"type": "first_frame", "url": str(frame)}]
    drawn = submit(model="wan3.0-video", media=media, size=None, resolution="720P")
seen["with_upload"] = drawn.status_code

seen["cancelled"] = VideoSynthesis.cancel(drawn, api_key=key).status_code
seen["after_cancel"] = status_of(drawn)
late = VideoSynthesis.cancel(made, api_key=key)
seen["too_late"] = [late.status_code, late.code]
listed = VideoSynthesis.list(api_key=key, page_size=1)
seen["listed"] = [row["task_id"] == drawn.output.task_id for row in listed.output["data"]]

withheld = submit()
finish(withheld)
ended = VideoSynthesis.fetch(withheld, api_key=key).output
seen["withheld"] = [ended.task_status, ended["code"]]
for name in ("refused", "busy"):
    fault = submit()
    seen[name] = [fault.status_code, fault.code]
stranger = submit(api_key="wrong")
seen["stranger"] = [stranger.status_code, stranger.code]
seen["unknown"] = status_of("no-such-task")
print(json.dumps(seen))
