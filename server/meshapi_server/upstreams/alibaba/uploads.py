"""Inputs that came as data: uploaded to Alibaba's storage for two days, as its own package does with files.

Source: ``dashscope`` 2.0.2. A permit tells where to put a file; the task then names it as ``oss://…``.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from meshapi_server.upstreams.adapter import ContentItem, HttpRequest, Talk, Unreadable
from meshapi_server.upstreams.http import Part, decode_data_uri, get, post_form
from meshapi_server.upstreams.refusals import Unclear

from .reading import ERRORS

# The form's names and what they are called in the permit; the file has to be the last part.
_FIELDS = (
    ("OSSAccessKeyId", "oss_access_key_id"),
    ("Signature", "signature"),
    ("policy", "policy"),
    ("x-oss-object-acl", "x_oss_object_acl"),
    ("x-oss-forbid-overwrite", "x_oss_forbid_overwrite"),
)
_SUFFIXES = {"jpeg": "jpg", "mpeg": "mp3", "x-wav": "wav", "quicktime": "mov"}


def uploaded(item: ContentItem, model: str) -> Talk[str | None]:
    """The place of an item's data once it is uploaded; None for an item that is no data URI."""
    decoded = decode_data_uri(item.url) if item.url else None
    if decoded is None:
        return None
    query = (("action", "getPolicy"), ("model", model))
    response = yield get("/uploads", query, harmless=True)
    if not response.ok:
        raise ERRORS.refusal(response)
    permit = response.object().get("data")
    if not isinstance(permit, dict):
        raise Unreadable("a permit for an upload without data")
    request, place = _form(permit, *decoded)
    response = yield request
    if not response.ok and response.status != 409:  # the same file is there already
        raise Unclear(f"an upload to Alibaba's storage was answered by HTTP {response.status}")
    return place


def _form(permit: Mapping[str, Any], media_type: str, data: bytes) -> tuple[HttpRequest, str]:
    """The upload, and the address that the file then has."""
    host, folder = permit.get("upload_host"), permit.get("upload_dir")
    if not isinstance(host, str) or not isinstance(folder, str):
        raise Unreadable("a permit for an upload without a place")
    kind = media_type.partition("/")[2]
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.{_SUFFIXES.get(kind, kind)}"
    key = f"{folder}/{name}"
    values = [(name, str(permit[field])) for name, field in _FIELDS if permit.get(field)]
    values += [("key", key), ("success_action_status", "200"), ("x-oss-content-type", media_type)]
    part = Part(name="file", filename=name, media_type=media_type, data=data)
    return post_form(host, values, [part], authorised=False, harmless=True), f"oss://{key}"
