"""Google, by model: Veo is Vertex's, all else is the Interactions API's. A task's id tells which it was."""

from collections.abc import Mapping, Sequence

from meshapi_server.upstreams.adapter import (
    Abilities,
    Accepted,
    Adapter,
    Announcement,
    Credentials,
    Heard,
    HttpRequest,
    Job,
    Limits,
    Login,
    Look,
    Progress,
    Result,
    Supports,
    Talk,
    TaskError,
    Unserved,
)

from . import omni, veo
from .account import Account, login, metadata_login
from .callbacks import heard
from .veo import Place

_LARGEST_ANSWER = 256 * 1024 * 1024  # a 4k video, as base64


class Google(Adapter):
    """Both services, as far as they are set up. Without a list or idempotency, a lost answer stays open."""

    name = "google"
    limits = Limits(tasks=10)
    largest_answer = _LARGEST_ANSWER

    def __init__(self, base_url: str, place: Place | None, account: Account | None, *, omni: bool) -> None:
        self.base_url = base_url
        self.hosts = (place.url, place.storage_url) if place else ()
        self.abilities = Abilities(cancels=omni, calls_back=omni)
        self.supports = (
            Supports(data_uris=True, signed_callbacks=True, results_last=48.0)
            if omni
            else Supports(data_uris=True)
        )
        self._omni = omni
        self._place = place
        self._account = account

    def authorise(self, request: HttpRequest, credentials: Credentials, now: int) -> Mapping[str, str]:
        """A token for Vertex and its storage, the key for the Developer API and where there is no token."""
        if self._place and self._place.has(request.url) and "token" in credentials:
            return {"authorization": f"Bearer {credentials['token']}"}
        return {"x-goog-api-key": credentials["key"]} if "key" in credentials else {}

    def login(self, credentials: Credentials, now: int) -> Talk[Login] | None:
        """A token for the account, unless the operator gave one."""
        if self._place is None or "token" in credentials:
            return None
        if self._account is not None:
            return login(self._account, now)
        if "metadata_host" in credentials:
            return metadata_login(credentials["metadata_host"], now)
        return None

    def serves(self, model: str) -> bool:
        """Vertex has Veo, the Developer API all else."""
        return self._place is not None if veo.has(model) else self._omni

    def inlines(self, job: Job) -> frozenset[int]:
        """Neither service fetches URLs."""
        return frozenset(item.index for item in job.spec.content if item.url is not None)

    def submit(self, job: Job) -> Talk[Accepted]:
        """Ask the service that has the model."""
        if not veo.has(job.model):
            return (yield from omni.submit(job))
        if self._place is None:
            message = "Veo is served by Vertex AI, and this server has no Google Cloud project."
            raise Unserved(TaskError(code="upstream_error", message=message, charged="no"))
        return (yield from veo.submit(job, self._place))

    def poll(self, looks: Sequence[Look]) -> Talk[Sequence[Progress | Exception]]:
        """Ask for each."""
        stands: list[Progress | Exception] = []
        for look in looks:
            place = self._place_of(look)
            stands.append((yield from veo.look(look, place) if place else omni.look(look)))
        return stands

    def result(self, look: Look) -> Talk[Result]:
        """Where the video is, or its bytes."""
        place = self._place_of(look)
        return (yield from veo.result(look, place) if place else omni.result(look))

    def cancel(self, look: Look) -> Talk[bool]:
        """Interactions can be cancelled; Veo's operations cannot."""
        return False if veo.is_operation(look.reference) else (yield from omni.cancel(look))

    def hear(self, announcement: Announcement, credentials: Credentials) -> Talk[Heard]:
        """Verify and read a webhook of the Interactions API."""
        return (yield from heard(announcement, credentials.get("webhook_secret")))

    def _place_of(self, look: Look) -> Place | None:
        if not veo.is_operation(look.reference):
            return None
        if self._place is None:
            raise RuntimeError("a task of Vertex AI, and no Google Cloud project")
        return self._place
