"""One adapter, running, beside its fake."""

from pathlib import Path
from typing import Any

from tests.upstreams.fake import Entry, FakeUpstream, Stage, read_log

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import Registration
from meshapi_server.upstreams.contract import ContentItem, Job, Look, Progress, Spec
from meshapi_server.upstreams.credentials import Credentials
from meshapi_server.upstreams.enabled import enabled, values, variable
from meshapi_server.upstreams.runner import HttpUpstream
from meshapi_server.upstreams.transport import Timeouts

from .cases import Case

QUEUED, RUNNING = 10.0, 20.0  # seconds of the fake's clock, which stands still
LONG_AGO = 600_000  # ms since the task was created: it must be visible everywhere by now


class Bench:
    """What the suite's tests work with."""

    def __init__(self, case: Case, fake: FakeUpstream) -> None:
        self.case = case
        self.fake = fake
        self._opened: list[HttpUpstream] = []
        self.upstream = self.open()

    def environment(self) -> dict[str, str]:
        """What turns this upstream on, pointed at the fake."""
        base_url = self.fake.base_url(self.case.name)
        return {**self.case.environment, variable(self.case.name, "BASE_URL"): base_url}

    def open(self) -> HttpUpstream:
        """The upstream as the server builds it from the environment."""
        (upstream,) = enabled(self.environment(), system_clock)
        assert upstream.name == self.case.name
        self._opened.append(upstream)
        return upstream

    def impatient(self, seconds: float) -> HttpUpstream:
        """The upstream with less time for each call."""
        base_url = self.fake.base_url(self.case.name)
        registration = self.case.registration
        options = values(registration.options, self.case.environment)
        upstream = HttpUpstream(
            registration.build({**options, Registration.BASE_URL: base_url}),
            Credentials(values(registration.credentials, self.case.environment)),
            system_clock,
            base_url=base_url,
            timeouts=Timeouts(connect=seconds, total=seconds, silence=seconds),
        )
        self._opened.append(upstream)
        return upstream

    async def close(self) -> None:
        for upstream in self._opened:
            await upstream.close()

    def job(self, number: int = 1, **fields: Any) -> Job:
        """A job that this upstream can do. ``fields`` are the job's own, or the spec's."""
        own = {name: fields.pop(name) for name in list(fields) if name in Job.__struct_fields__}
        prompt = ContentItem(kind="text", index=0, text=f"a paper boat, number {number}")
        spec = Spec(**{"model": f"{self.case.name}/x", "content": (prompt,), **self.case.spec, **fields})
        return Job(
            **{
                "task_id": f"task_01JAZ0000000000000000{number:04d}",
                "attempt": 1,
                "submission": 1,
                "model": self.case.model,
                "spec": spec,
                "seed": spec.seed or 0,
                "submitted_at": system_clock() - LONG_AGO,
                **own,
            }
        )

    def to(self, stage: Stage) -> None:
        """Let the fake's time pass until what was just submitted is there."""
        self.fake.clock.advance({"running": QUEUED + RUNNING / 4}.get(stage, QUEUED + RUNNING + 1))

    async def look(self, reference: str, job: Job) -> Progress:
        """One poll of one task; raises what the upstream could not say."""
        (answer,) = await self.upstream.poll([Look(reference=reference, job=job)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sales(self) -> list[Entry]:
        """What the fake has accepted, from its file."""
        return read_log(self.fake.log)

    def workspace(self, tmp_path: Path) -> Path:
        folder = tmp_path / "workspace"
        folder.mkdir()
        return folder
