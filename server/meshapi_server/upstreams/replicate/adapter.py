"""Replicate's predictions: create, get, cancel, signed webhooks.

Sources: Replicate's OpenAPI document and ``replicate`` 1.0.7. The list of predictions shows nothing that
tells two alike ones apart, and there is no idempotency key: a lost answer cannot be settled.
"""

from collections.abc import Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Deferred,
    Facts,
    Heard,
    HttpResponse,
    Job,
    Limits,
    Look,
    Progress,
    Rate,
    Rejected,
    Result,
    Supports,
    Talk,
    Unreadable,
)
from meshapi_server.upstreams.http import get, path, post
from meshapi_server.upstreams.refusals import Fault, Said, lost, unanswered

from .reading import ERRORS, progress_of, refused, url_of
from .request import body_of, create_place, schema_place
from .schema import UNKNOWN, Schema, schema_of
from .signature import check_headers, check_signature

_SCHEMA_LASTS = 3600.0  # s
_SECRET_LASTS = 3600.0  # s; there is one for the whole account
_NOT_FINISHED = 3.0  # s


class Replicate(Adapter):
    """One account. Everything about a prediction is deleted an hour after its end."""

    name = "replicate"
    base_url = "https://api.replicate.com/v1"
    limits = Limits(tasks=100, submits=Rate(count=600, seconds=60.0), polls=Rate(count=50, seconds=1.0))
    abilities = Abilities(cancels=True, calls_back=True)
    supports = Supports(data_uris=True, signed_callbacks=True, results_last=1.0)

    def submit(self, job: Job) -> Talk[Accepted]:
        """Read the model's schema, then POST its input. The token is for Replicate's logs only."""
        schema = yield from self._schema(job.model)
        body = body_of(job, schema)
        response = yield post(create_place(job.model), body, headers=(("idempotency-key", job.token),))
        if not response.ok:
            raise refused(response)
        return Accepted(reference=_id(response))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """GET the prediction."""
        stands: list[Progress | Exception] = []
        for look in looks:
            response = yield get(_place(look))
            stands.append(_looked(look, response))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """GET the prediction."""
        response = yield get(_place(look))
        stands = _looked(look, response)
        if isinstance(stands, Exception):
            raise stands
        if stands.error is not None:
            raise Rejected(stands.error)
        if stands.state != "succeeded":
            raise Deferred("the upstream has not finished after all", retry_after=_NOT_FINISHED)
        prediction = response.object()
        url = url_of(prediction)
        if url is None:
            removed = prediction.get("data_removed") is True
            words = (
                "it has deleted the video, an hour after its end"
                if removed
                else "it finished without a video"
            )
            raise Rejected(Fault(kind="broken", said=Said(message=words, body=prediction)).error())
        seed = None if look.job.spec.seed is None else look.job.seed
        return Result(video=get(url, authorised=False), facts=Facts(seed=seed))

    def cancel(self, look: Look) -> Talk[bool]:
        """POST: what has ended is answered as it is, or with an error of ours."""
        response = yield post(_place(look) + "/cancel")
        if response.ok:
            return response.object().get("status") not in {"succeeded", "failed"}
        if response.status in {404, 409, 422}:
            return False
        raise unanswered(response, ERRORS)

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Check the signature with the account's secret, which the API tells."""
        check_headers(announcement)
        response = yield get("/webhooks/default/secret", keep_for=_SECRET_LASTS)
        if not response.ok:
            raise unanswered(response, ERRORS)
        secret = response.object().get("key")
        if not isinstance(secret, str) or not secret:
            raise Unreadable("a webhook secret without a key")
        check_signature(announcement, secret)
        told = HttpResponse(status=200, body=announcement.body)
        return Heard(verified=True, reference=_id(told), body=b"{}")

    def _schema(self, model: str) -> Talk[Schema]:
        place = schema_place(model)
        if place is None:
            return UNKNOWN
        response = yield get(place, harmless=True, keep_for=_SCHEMA_LASTS)
        if not response.ok:
            raise refused(response)
        return schema_of(response.object())


def _id(response: HttpResponse) -> str:
    named = response.object().get("id")
    if not isinstance(named, str) or not named:
        raise Unreadable("a prediction without an id")
    return named


def _place(look: Look) -> str:
    return "/predictions" + path(look.reference)


def _looked(look: Look, response: HttpResponse) -> Progress | Exception:
    if response.status == 404:
        return lost(look, response)
    if not response.ok:
        return unanswered(response, ERRORS)
    return progress_of(response.object())
