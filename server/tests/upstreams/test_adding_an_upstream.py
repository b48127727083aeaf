"""The adapter of docs/adding-an-upstream.md does what the page says, and is found as a package's would be."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapters import GROUP, AdapterInvalid, registrations
from meshapi_server.upstreams.contract import ContentItem, Deferred, Job, Look, Rejected, Spec, Unserved
from meshapi_server.upstreams.enabled import close, enabled
from meshapi_server.upstreams.http import HttpResponse
from meshapi_server.upstreams.refusals import Unclear

from .stub import perform

PAGE = Path(__file__).parents[3] / "docs" / "adding-an-upstream.md"
JOB = Job(
    task_id="task_1",
    attempt=1,
    submission=1,
    model="acme-3",
    spec=Spec(model="acme/3", content=(ContentItem(kind="text", index=0, text="a lake"),), duration=4),
    seed=1,
    submitted_at=0,
)
LOOK = Look(reference="v/1", job=JOB)


@pytest.fixture
def page() -> Iterator[ModuleType]:
    """The page's block as an importable module."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = ModuleType("acme")
    exec(compile(block, str(PAGE), "exec"), module.__dict__)
    sys.modules["acme"] = module
    yield module
    del sys.modules["acme"]


def response(status: int, value: Any) -> HttpResponse:
    return HttpResponse(status=status, body=msgspec.json.encode(value), received_at=10_000_000)


def test_the_pages_adapter_submits_polls_and_finds_the_result(page: ModuleType) -> None:
    adapter = page.Acme()
    (asked,), accepted = perform(adapter.submit(JOB), response(201, {"id": "v/1"}))
    assert accepted.reference == "v/1"
    assert msgspec.json.decode(asked.body)["client_ref"] == JOB.token
    (asked,), (progress,) = perform(
        adapter.poll([LOOK]), response(200, {"state": "dreaming", "progress": 0.5})
    )
    assert asked.url == "/videos/v%2F1"
    assert (progress.state, progress.fraction) == ("running", 0.5)
    _, result = perform(
        adapter.result(LOOK), response(200, {"state": "done", "url": "https://cdn.example/v.mp4"})
    )
    assert result.video.url == "https://cdn.example/v.mp4"
    assert not result.video.authorised


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, {"error": {"code": "BAD_FIELD", "message": "no"}}, Rejected),
        (400, {"error": {"code": "NSFW", "message": "no"}}, Rejected),
        (400, {"error": {"code": "NO_CREDIT", "message": "no"}}, Unserved),
        (401, {}, Unserved),
        (429, {}, Deferred),
        (502, "bad gateway", Unclear),
    ],
)
def test_the_pages_table_of_outcomes_is_true(page: ModuleType, status: int, body: Any, kind: type) -> None:
    with pytest.raises(kind):
        perform(page.Acme().submit(JOB), response(status, body))


async def test_a_published_registration_is_found_and_turned_on_by_its_key(page: ModuleType) -> None:
    known = registrations([EntryPoint("acme", "acme:ACME", GROUP)])
    assert known["acme"] is page.ACME
    upstreams = enabled({"ACME_API_KEY": "k-123456"}, system_clock, known=known)
    assert [upstream.name for upstream in upstreams] == ["acme"]
    await close(upstreams)
    assert enabled({}, system_clock, known=known) == ()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("acme:Acme", "is no Registration"),
        ("acme:NOBODY", "cannot be loaded"),
        ("nowhere:X", "cannot be loaded"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(page: ModuleType, value: str, complaint: str) -> None:
    with pytest.raises(AdapterInvalid, match=complaint):
        registrations([EntryPoint("acme", value, GROUP)])


def test_a_published_upstream_cannot_take_the_name_of_another(page: ModuleType) -> None:
    entry = EntryPoint("acme", "acme:ACME", GROUP)
    with pytest.raises(AdapterInvalid, match="another upstream named 'acme'"):
        registrations([entry, entry])
