"""What the published ``openrouter`` package makes of the fake: models, jobs, content, errors."""

import hashlib
import json
import sys

from openrouter import OpenRouter, errors

base_url, key = sys.argv[1:]
client = OpenRouter(api_key=key, server_url=base_url)
videos = client.video_generation
seen = {}


def create():
    return videos.generate(
        model="google/veo-3.1-fast",
        prompt="a paper boat",
        duration=8,
        resolution="720p",
        aspect_ratio="16:9",
        generate_audio=True,
        seed=7,
        frame_images=[
            {
                "type": "image_url",
                "image_url": {"url": "https://x.example/a.png"},
                "frame_type": "first_frame",
            }
        ],
        retries=None,
    )


def finish(job):
    statuses = []
    while True:
        found = videos.get_generation(job_id=job.id)
        if found.status not in statuses:
            statuses.append(found.status)
        if found.status in {"completed", "failed"}:
            return statuses, found


seen["models"] = [model.id for model in videos.list_videos_models().data]
made = create()
seen["created"], seen["polling"] = made.status, made.polling_url == f"{base_url}/videos/{made.id}"
try:
    videos.get_video_content(job_id=made.id)
except errors.ConflictResponseError as fault:
    seen["early"] = fault.status_code
seen["statuses"], job = finish(made)
content = videos.get_video_content(job_id=made.id, index=0)
seen["sha256"] = hashlib.sha256(content.read()).hexdigest()
seen["cost"], seen["outputs"] = job.usage.cost, [len(job.urls), len(job.unsigned_urls)]
seen["withheld"] = [*(withheld := finish(create()))[0], withheld[1].error]
for name, fault in {
    "refused": errors.BadRequestResponseError,
    "moderated": errors.ForbiddenResponseError,
    "busy": errors.TooManyRequestsResponseError,
}.items():
    try:
        create()
    except fault as raised:
        seen[name] = raised.data.error.code
try:
    OpenRouter(api_key="wrong", server_url=base_url).video_generation.get_generation(job_id=made.id)
except errors.UnauthorizedResponseError as fault:
    seen["wrong_key"] = fault.status_code
print(json.dumps(seen))
