"""The table of what each upstream supports: every cell is seen in what the adapter does."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from tests.upstreams.fake.files import FILES

from meshapi_server.tasks.clock import system_clock
from meshapi_server.upstreams.adapter import Announcement
from meshapi_server.upstreams.adapters import registrations
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.contract import ContentItem, Job, Look, Rejected, Unserved
from meshapi_server.upstreams.enabled import enabled_names, variable
from meshapi_server.upstreams.http import data_uri
from meshapi_server.upstreams.redaction import UpstreamFault
from meshapi_server.upstreams.upstreams_page import COLUMNS, inputs, page, turned_on_by

from .bench import Bench
from .cases import CASES, Case

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "upstreams.md"
_ANNOUNCED_WITHIN = 20.0  # s
Observer = Callable[[Bench, Path], Awaitable[str]]


async def accepted(bench: Bench, job: Job) -> str:
    return (await bench.upstream.submit(job)).reference


async def after_a_lost_answer(bench: Bench, _: Path) -> str:
    job = bench.job()
    bench.fake.script.next("bad_gateway_after")
    with pytest.raises(UpstreamFault):
        await bench.upstream.submit(job)
    try:
        found = await bench.upstream.find(job)
    except UpstreamFault as fault:
        if "cannot look a submission up" not in str(fault):
            raise
        reference = await accepted(bench, job)
        sales = bench.sales()
        return "asked again" if [sale.reference for sale in sales] == [reference] else "left open"
    assert found is not None
    assert found.reference == bench.sales()[0].reference
    return "looked up"


async def cancel(bench: Bench, _: Path) -> str:
    stopped = []
    for number, stage in enumerate(("queued", "running")):
        job = bench.job(number)
        reference = await accepted(bench, job)
        if stage == "running":
            bench.to("running")
        try:
            if await bench.upstream.cancel(reference, job):
                stopped.append(stage)
        except UpstreamFault as fault:
            if "cannot cancel" not in str(fault):
                raise
    assert bench.fake.shop.counters["cancelled"] == len(stopped)
    return ", ".join(stopped) or "no"


async def looks(bench: Bench, _: Path) -> str:
    many = bench.upstream.abilities.looks_at_once
    jobs = [bench.job(number) for number in range(many)]
    asked = [Look(reference=await accepted(bench, job), job=job) for job in jobs]
    counters = bench.fake.shop.counters
    before = counters["polls"] + counters["lists"]
    answers = await bench.upstream.poll(asked)
    requests = counters["polls"] + counters["lists"] - before
    assert all(not isinstance(answer, Exception) for answer in answers)
    return str(len(answers) // requests)


async def callbacks(bench: Bench, _: Path) -> str:
    heard: asyncio.Queue[Announcement] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        announcement = Announcement(
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=headers,
            body=await request.read(),
            received_at=system_clock(),
        )
        heard.put_nowait(announcement)
        return web.Response()

    app = web.Application()
    app.router.add_post("/listener-of-the-table", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/listener-of-the-table"
        await bench.upstream.submit(bench.job(callback_url=url))
        (received,) = bench.fake.shop.received
        sent = f"{received.path} {received.headers} {received.body!r}"
        if "listener-of-the-table" not in sent:
            return "no"
        bench.to("succeeded")
        first = await asyncio.wait_for(heard.get(), _ANNOUNCED_WITHIN)
        return "signed" if (await bench.upstream.hear(first)).verified else "hints"
    finally:
        await runner.cleanup()


async def progress(bench: Bench, _: Path) -> str:
    job = bench.job()
    reference = await accepted(bench, job)
    bench.to("running")
    return "no" if (await bench.look(reference, job)).fraction is None else "yes"


async def last_frame(bench: Bench, folder: Path) -> str:
    job = bench.job(return_last_frame=True)
    reference = await accepted(bench, job)
    bench.to("succeeded")
    rendered = await bench.upstream.fetch(reference, job, bench.workspace(folder))
    return "no" if rendered.last_frame is None else "yes"


async def inline_images(bench: Bench, _: Path) -> str:
    data = FILES["last_frame.png"].read_bytes()
    prompt, frame = (
        ContentItem(kind="text", index=0, text="a paper boat"),
        ContentItem(kind="image", index=1, url=data_uri("image/png", data), role="first_frame"),
    )
    try:
        await bench.upstream.submit(bench.job(content=(prompt, frame)))
    except (Rejected, Unserved):
        assert bench.sales() == []
        return "no"
    sent = b"".join(received.body for received in bench.fake.shop.received)
    return "yes" if data in sent or base64.b64encode(data) in sent else "no"


async def results_last(bench: Bench, folder: Path) -> str:
    hours = bench.upstream.adapter.supports.results_last
    if hours is None:
        return "not told"
    job = bench.job()
    reference = await accepted(bench, job)
    bench.to("succeeded")
    bench.fake.clock.advance(hours * 3600 - 60)
    rendered = await bench.upstream.fetch(reference, job, bench.workspace(folder))
    assert rendered.video.read_bytes() == FILES["video.mp4"].read_bytes()
    return f"{hours / 24:g} days" if hours > 48 else f"{hours:g} h"


OBSERVERS: dict[str, Observer] = {
    "After a lost answer": after_a_lost_answer,
    "Cancel": cancel,
    "Looks": looks,
    "Callbacks": callbacks,
    "Progress": progress,
    "Last frame": last_frame,
    "Inline images": inline_images,
    "Results last": results_last,
}


def test_every_column_is_observed() -> None:
    assert list(OBSERVERS) == list(COLUMNS)


@pytest.mark.parametrize("column", OBSERVERS)
async def test_a_cell_says_what_the_adapter_does(bench: Bench, column: str, tmp_path: Path) -> None:
    assert COLUMNS[column](bench.upstream.adapter) == await OBSERVERS[column](bench, tmp_path)


@pytest.mark.parametrize("name", registrations(published=()))
def test_each_way_to_turn_an_upstream_on_does_so_and_nothing_less(name: str) -> None:
    registration = registrations(published=())[name]
    ways = turned_on_by(registration).split(" or ")
    for way in ways:
        names = [each.strip("`") for each in way.split(" and ")]
        environment = dict.fromkeys(names, "x") | (
            {} if registration.base_url else {variable(name, "BASE_URL"): "http://127.0.0.1:1"}
        )
        assert enabled_names(environment) == (name,)
        for missing in names:
            less = {each: value for each, value in environment.items() if each != missing}
            assert name not in enabled_names(less)


def test_the_inputs_of_two_protocols_are_those_of_their_own_models() -> None:
    google = registrations(published=())["google"]
    takes = {each.name: inputs(google.build(each.options), Catalogue.load()) for each in google.protocols}
    assert "videos" in takes["Gemini API"]
    assert "videos" not in takes["Vertex AI"]


def test_the_page_is_what_is_printed_and_has_a_row_for_every_case() -> None:
    assert PAGE.read_text("utf-8") == page(Catalogue.load()), (
        "write it anew: python -m meshapi_server.upstreams.upstreams_page > docs/reference/upstreams.md"
    )
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_suite_and_the_adapter_agree_on_what_can_be_stopped(case: Case) -> None:
    adapter = case.adapter()
    assert case.stops == (adapter.supports.stops if adapter.abilities.cancels else frozenset())
