"""What the published Ark runtime SDK makes of the fake: submit, poll, list, cancel, errors."""

import json
import sys

from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime import _exceptions as faults

base_url, key = sys.argv[1:]
tasks = Ark(base_url=base_url, api_key=key, max_retries=0).content_generation.tasks
text = [{"type": "text", "text": "a paper boat"}]
seen = {}


def create(**fields):
    return tasks.create(
        model="dreamina-seedance-2-0-260128", content=text, resolution="480p", ratio="16:9", **fields
    )


made = create(safety_identifier="task_1.1", return_last_frame=True, seed=5)
statuses = []
while True:
    task = tasks.get(task_id=made.id)
    if task.status not in statuses:
        statuses.append(task.status)
    if task.status in {"succeeded", "failed"}:
        break
seen["statuses"] = statuses
seen["urls"] = [
    task.content.video_url.partition("?")[0][-9:],
    task.content.last_frame_url.partition("?")[0][-14:],
]
seen["seed"], seen["mark"] = task.seed, task.safety_identifier
other = create()
listed = tasks.list(page_size=10, task_ids=[made.id, other.id])
seen["listed"] = {item.id for item in listed.items} == {made.id, other.id}
tasks.delete(task_id=other.id)
seen["cancelled"] = tasks.get(task_id=other.id).status
try:
    create()
except faults.ArkBadRequestError as fault:
    seen["refused"] = fault.code
try:
    tasks.get(task_id="cgt-unknown")
except faults.ArkNotFoundError as fault:
    seen["missing"] = fault.status_code
print(json.dumps(seen))
