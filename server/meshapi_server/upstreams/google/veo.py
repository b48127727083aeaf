"""Veo on Vertex AI: a long-running operation, polled by POST; no list, no cancel, no webhook.

Source: the Vertex converters of ``google-genai`` 3.4.0. Without a bucket the video comes inside the answer.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct
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
from meshapi_server.upstreams.refusals import Fault, Kind, Said, lost, said_of, unanswered

from .errors import ERRORS

_NOT_FINISHED = 10.0  # s
_MODELS = ("publishers", "google", "models")
# google.rpc.Code: 3 is INVALID_ARGUMENT; the others are Google's own trouble.
_CODES: dict[str, Kind] = {"3": "invalid"}


class Place(Struct, frozen=True, kw_only=True):
    """Where Veo runs, and the bucket (and folder) into which it writes; else answers hold the video."""

    url: str
    storage_url: str
    project: str
    location: str
    bucket: str = ""

    def has(self, url: str) -> bool:
        """Whether a URL is Vertex's or its storage's."""
        return url.startswith((f"{self.url}/v1/projects/", f"{self.storage_url}/storage/v1/b/"))


def has(model: str) -> bool:
    """Whether the model is one of Veo."""
    return model.startswith("veo-")


def is_operation(reference: str) -> bool:
    """Whether a task's id is that of an operation."""
    return reference.startswith("projects/")


def submit(job: Job, place: Place) -> Talk[Accepted]:
    """POST :predictLongRunning. The token is for logs, and names the folder of the result."""
    model = path("v1", "projects", place.project, "locations", place.location, *_MODELS, job.model)
    headers = (("idempotency-key", job.token),)
    response = yield post(f"{place.url}{model}:predictLongRunning", body_of(job, place), headers=headers)
    if not response.ok:
        raise ERRORS.refusal(response)
    name = response.object().get("name")
    if not isinstance(name, str) or not is_operation(name) or "/operations/" not in name:
        raise Unreadable("an operation without a name")
    return Accepted(reference=name)


def body_of(job: Job, place: Place) -> dict[str, Any]:
    """The body of a create call."""
    spec = job.spec
    instance: dict[str, Any] = {"prompt": spec.prompt} if spec.prompt else {}
    for item in spec.content:
        match item.role or item.kind:
            case "last_frame":
                instance["lastFrame"] = _data(item)
            case "reference_image":
                references = instance.setdefault("referenceImages", [])
                references.append({"image": _data(item), "referenceType": "asset"})
            case "first_frame" | "image":
                instance["image"] = _data(item)
            case "reference_video" | "video":
                instance["video"] = _data(item)
    parameters = {
        "sampleCount": 1,
        "durationSeconds": spec.duration if (spec.duration or 0) > 0 else None,
        "aspectRatio": spec.ratio,
        "resolution": spec.resolution,
        "generateAudio": spec.generate_audio,
        "negativePrompt": spec.negative_prompt,
        "seed": None if spec.seed is None else job.seed,
        "storageUri": f"gs://{place.bucket}/{job.token}/" if place.bucket else None,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return {"instances": [instance], "parameters": given}


def look(look: Look, place: Place) -> Talk[Progress | Exception]:
    """POST :fetchPredictOperation. An operation does not tell whether it waits or runs."""
    response = yield _ask(look, place)
    return _looked(look, response)


def result(look: Look, place: Place) -> Talk[Result]:
    """The bytes in the answer, or where they are in the bucket."""
    response = yield _ask(look, place)
    stands = _looked(look, response)
    if isinstance(stands, Exception):
        raise stands
    if stands.error is not None:
        raise Rejected(stands.error)
    if stands.state != "succeeded":
        raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
    (video, *_) = _videos(response.object())
    seed = None if look.job.spec.seed is None else look.job.seed
    return Result(video=_place(video, place), facts=Facts(seed=seed))


def _ask(look: Look, place: Place) -> HttpRequest:
    model, _, _ = look.reference.partition("/operations/")
    url = f"{place.url}/v1{path(*model.split('/'))}:fetchPredictOperation"
    return post(url, {"operationName": look.reference})


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    operation = response.object()
    if operation.get("done") is not True:
        if "name" not in operation:
            return Unreadable("no operation in the answer")
        return Progress(state="running")
    error = operation.get("error")
    if isinstance(error, dict) and error:
        return _failure(error).progress()
    return Progress(state="succeeded") if _videos(operation) else _without_video(operation).progress()


def _videos(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = operation.get("response")
    videos = answer.get("videos") if isinstance(answer, dict) else None
    found = [video for video in videos or () if isinstance(video, dict)]
    return [video for video in found if video.get("gcsUri") or video.get("bytesBase64Encoded")]


def _place(video: Mapping[str, Any], place: Place) -> HttpRequest | bytes:
    uri = video.get("gcsUri")
    if isinstance(uri, str) and uri.startswith("gs://"):
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        query = (("alt", "media"),)
        return get(f"{place.storage_url}/storage/v1/b{path(bucket)}/o/{quote(name, safe='')}", query)
    try:
        return base64.b64decode(video.get("bytesBase64Encoded") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable("a video that is no base64") from None


def _failure(error: dict[str, Any]) -> Fault:
    """Why an operation failed: what words call moderation came before anything was made."""
    said = replace(said_of(error), body={"error": error})
    kind = ERRORS.kind(said)
    if kind != "moderated_input":
        kind = _CODES.get(said.code or "", "broken")
    return Fault(kind=kind, said=said)


def _without_video(operation: Mapping[str, Any]) -> Fault:
    """Finished, and every video was filtered; reasons hold Google's support codes."""
    answer = operation.get("response")
    answer = answer if isinstance(answer, dict) else {}
    reasons = [each for each in answer.get("raiMediaFilteredReasons") or () if isinstance(each, str)]
    filtered = answer.get("raiMediaFilteredCount")
    moderated = bool(reasons) or (isinstance(filtered, int) and filtered > 0)
    said = Said(message="; ".join(reasons) or "it finished without a video", body={"response": answer})
    return Fault(kind="moderated_output" if moderated else "broken", said=said)


def _data(item: ContentItem) -> dict[str, str]:
    """An inlined item, as Vertex takes it."""
    head, _, data = (item.url or "").partition(",")
    return {"bytesBase64Encoded": data, "mimeType": head.removeprefix("data:").partition(";")[0]}
