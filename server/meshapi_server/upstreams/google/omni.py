"""Gemini Omni on the Interactions API of the Developer API: create, get, cancel.

Source: the interaction types of ``google-genai`` 3.4.0. A video comes as a file to download, or inside the
answer.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from meshapi_server.upstreams.adapter import (
    Accepted,
    ContentItem,
    Deferred,
    Facts,
    HttpRequest,
    HttpResponse,
    Job,
    Look,
    Progress,
    Rejected,
    Result,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost, said_in, said_of, unanswered

from .errors import ERRORS

_INTERACTIONS = "/v1beta/interactions"
_REVISION = (("api-revision", "2026-05-20"),)
_NOT_READY = 5.0  # s
_FILE = re.compile(r"/files/([A-Za-z0-9._-]+?)(?::download)?$")
_ENDS = frozenset({"failed", "incomplete", "budget_exceeded", "requires_action"})


def submit(job: Job) -> Talk[Accepted]:
    """POST the interaction, to be worked on in the background. The token is for Google's logs only."""
    headers = (*_REVISION, ("idempotency-key", job.token))
    response = yield post(_INTERACTIONS, body_of(job), headers=headers)
    if not response.ok:
        raise ERRORS.refusal(response)
    reference = response.object().get("id")
    if not isinstance(reference, str) or not reference:
        raise Unreadable("an interaction without an id")
    return Accepted(reference=reference)


def body_of(job: Job) -> dict[str, Any]:
    """The body of a create call: inputs first, then the text that speaks of them."""
    spec = job.spec
    shape = {
        "type": "video",
        "aspect_ratio": spec.ratio,
        "resolution": spec.resolution,
        "duration": f"{spec.duration}s" if (spec.duration or 0) > 0 else None,
        "delivery": "uri",
    }
    config: dict[str, Any] = {}
    task = _task(job)
    if task is not None:
        config["video_config"] = {"task": task}
    if spec.seed is not None:
        config["seed"] = job.seed
    body: dict[str, Any] = {
        "model": job.model,
        "input": [
            *(_media(item) for item in spec.content if item.kind != "text"),
            {"type": "text", "text": spec.prompt},
        ],
        "response_format": {name: value for name, value in shape.items() if value is not None},
    }
    if config:
        body["generation_config"] = config
    body |= {"background": True, "store": True}
    if job.callback_url is not None:
        body["webhook_config"] = {"uris": [job.callback_url]}
    return body


def look(look: Look) -> Talk[Progress | Exception]:
    """GET the interaction."""
    response = yield _get(look)
    return _looked(look, response)


def result(look: Look) -> Talk[Result]:
    """The bytes in the answer, or the file, as soon as it is ready."""
    response = yield _get(look)
    stands = _looked(look, response)
    if isinstance(stands, Exception):
        raise stands
    if stands.error is not None:
        raise Rejected(stands.error)
    video = next(_videos(response.object()), None)
    if stands.state != "succeeded" or video is None:
        raise Deferred("the upstream has not finished after all", retry_after=_NOT_READY)
    seed = None if look.job.spec.seed is None else look.job.seed
    uri = video.get("uri")
    if not isinstance(uri, str):
        return Result(video=_bytes(video), facts=Facts(seed=seed))
    file = _FILE.search(urlsplit(uri).path)
    if file is None:
        return Result(video=get(uri, authorised=False), facts=Facts(seed=seed))
    yield from _ready(file[1])
    return Result(video=get(f"/v1beta/files/{file[1]}:download", (("alt", "media"),)), facts=Facts(seed=seed))


def cancel(look: Look) -> Talk[bool]:
    """POST the cancel; the answer shows what has become of it."""
    response = yield post(_INTERACTIONS + path(look.reference, "cancel"), headers=_REVISION)
    if response.status in {400, 404, 409}:
        return False
    if not response.ok:
        raise unanswered(response, ERRORS)
    return response.object().get("status") not in {"completed", *_ENDS}


def _get(look: Look) -> HttpRequest:
    return get(_INTERACTIONS + path(look.reference), headers=_REVISION)


def _ready(file: str) -> Talk[None]:
    """A file may still be in work when the interaction is completed. Raises Deferred or Rejected."""
    response = yield get("/v1beta/files" + path(file))
    if response.status == 404:
        said = said_in(response)
        raise Rejected(Fault(kind="lost", said=said).error())
    if not response.ok:
        raise unanswered(response, ERRORS)
    state = response.object().get("state")
    if state == "FAILED":
        raise Rejected(Fault(kind="broken", said=said_of(response.object().get("error"))).error())
    if state == "PROCESSING":
        raise Deferred("the video is not ready for download yet", retry_after=_NOT_READY)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    interaction = response.object()
    match interaction.get("status"):
        case "queued":
            return Progress(state="queued")
        case "completed":
            if next(_videos(interaction), None) is not None:
                return Progress(state="succeeded")
            return _withheld(interaction).progress()
        case "cancelled":
            return Fault(kind="cancelled").progress()
        case str() as status if status in _ENDS:
            return _failure(interaction, status).progress()
        case None:
            return Unreadable("an interaction without a status")
    return Progress(state="running")


def _videos(interaction: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Videos of the model's output; some answers show one at the top, others in the steps only."""
    shown = [interaction.get("output_video")]
    for step in interaction.get("steps") or ():
        if isinstance(step, dict) and step.get("type") == "model_output":
            shown += step.get("content") or ()
    for content in shown:
        if not isinstance(content, dict) or content.get("type", "video") != "video":
            continue
        if content.get("uri") or content.get("data"):
            yield content


def _withheld(interaction: Mapping[str, Any]) -> Fault:
    """Completed without a video: the safety check kept it. What the model says instead is the reason."""
    said = _said(interaction)
    if not said.message:
        said = replace(said, message="it finished without a video")
    return Fault(kind="moderated_output", said=said)


def _failure(interaction: Mapping[str, Any], status: str) -> Fault:
    said = _said(interaction)
    kind = ERRORS.kind(said)
    said = said if said.message else replace(said, message=f"the interaction is {status}")
    return Fault(kind="moderated_output" if kind == "moderated_input" else "broken", said=said)


def _said(interaction: Mapping[str, Any]) -> Said:
    errors = interaction.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    kept = {name: interaction.get(name) for name in ("id", "status", "errors") if name in interaction}
    return replace(said_of(first), body=kept)


def _bytes(video: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(video.get("data") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable("a video that is no base64") from None


def _task(job: Job) -> str | None:
    """What to make of the inputs, where that is plain; the model infers the rest."""
    roles = {item.role or item.kind for item in job.spec.content if item.kind != "text"}
    if not roles:
        return "text_to_video"
    if roles <= {"first_frame", "image"}:
        return "image_to_video"
    return "reference_to_video" if roles == {"reference_image"} else None


def _media(item: ContentItem) -> dict[str, str]:
    head, _, data = (item.url or "").partition(",")
    return {"type": item.kind, "mime_type": head.removeprefix("data:").partition(";")[0], "data": data}
