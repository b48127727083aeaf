"""The page of all upstreams: ``python -m meshapi_server.upstreams.upstreams_page`` prints it as Markdown.

It is kept as ``docs/reference/upstreams.md``. What an adapter declares stands here; the shared suite observes
the same words from what it does (``server/tests/upstreams/suite/test_support.py``).
"""

import sys
from collections.abc import Callable, Iterator, Mapping

from .adapter import Adapter, Protocol, Registration
from .adapters import registrations
from .catalogue import Catalogue

_INTRODUCTION = """\
# Upstreams

What each upstream can do, as its adapter declares it and as the shared suite observes it against the
upstream's emulator: each cell is a test. This page is generated; after a change to an adapter write it
anew, with `python -m meshapi_server.upstreams.upstreams_page > docs/reference/upstreams.md`.

"""
_LEGEND = """
- **After a lost answer**: the connection broke, or a gateway answered in the upstream's place, after the paid
  request. *asked again*: the upstream knows the submission by its key and gives the first answer once more.
  *looked up*: the task is found by a mark on it. *left open*: neither is possible, so nothing is sent again,
  and the task fails as `submission_unknown`, with `charged: "unknown"`.
- **Cancel**: the stages in which the upstream stops a task.
- **Looks**: how many tasks one poll covers.
- **Callbacks**: *signed* ones are verified; *hints* only let the poller look at once; without any, it polls.
- **Progress**: whether the upstream says how far a task is.
- **Last frame**: whether `return_last_frame` works.
- **Inline images**: whether a first frame may be a data URI.
- **Results last**: for how long the upstream's own link works. The server has copied the file by then.

What runs on this host is no upstream of this table: `mesh/diorama-1`, and folders of open weights
(`diffusers/*`, see [local models](../operate/local-models.md)). Both tell their progress, stop when they are
cancelled, queued or running, and are simply made again after a crash, since nothing was paid.
"""
Cell = Callable[[Adapter], str]


def after_a_lost_answer(adapter: Adapter) -> str:
    """What is done when the answer to a paid request did not come."""
    if adapter.abilities.finds:
        return "looked up"
    return "asked again" if adapter.abilities.resends else "left open"


def cancel(adapter: Adapter) -> str:
    """The stages in which a task can be stopped."""
    stops = sorted(adapter.supports.stops) if adapter.abilities.cancels else ()
    return ", ".join(stops) or "no"


def looks(adapter: Adapter) -> str:
    """How many tasks one poll covers."""
    return str(adapter.abilities.looks_at_once)


def callbacks(adapter: Adapter) -> str:
    """Whether the upstream announces changes, and whether that can be verified."""
    if not adapter.abilities.calls_back:
        return "no"
    return "signed" if adapter.supports.signed_callbacks else "hints"


def results_last(adapter: Adapter) -> str:
    """For how long a link to a result works."""
    hours = adapter.supports.results_last
    if hours is None:
        return "not told"
    return f"{hours / 24:g} days" if hours > 48 else f"{hours:g} h"


def yes_or_no(value: bool) -> str:
    """A word for a flag."""
    return "yes" if value else "no"


COLUMNS: Mapping[str, Cell] = {
    "After a lost answer": after_a_lost_answer,
    "Cancel": cancel,
    "Looks": looks,
    "Callbacks": callbacks,
    "Progress": lambda adapter: yes_or_no(adapter.supports.progress),
    "Last frame": lambda adapter: yes_or_no(adapter.supports.last_frame),
    "Inline images": lambda adapter: yes_or_no(adapter.supports.data_uris),
    "Results last": results_last,
}
_INPUTS = {"text": "text", "first_frame": "first frame", "first_last_frame": "last frame"}
_KINDS = {"reference_image": "images", "reference_video": "videos", "reference_audio": "audios"}


def page(catalogue: Catalogue) -> str:
    """The whole page as Markdown."""
    titles = ("Upstream", "Turned on by", *COLUMNS, "Inputs of its models")
    rows = (row for each in registrations(published=()).values() for row in _rows(each, catalogue))
    table = (_line(titles), _line(tuple("---" for _ in titles)), *map(_line, rows))
    return _INTRODUCTION + "\n".join(table) + "\n" + _LEGEND


def built(registration: Registration, options: Mapping[str, str]) -> Adapter:
    """The adapter without keys, for what it declares."""
    base_url = registration.base_url or "http://127.0.0.1:8000/v1"
    return registration.build({Registration.BASE_URL: base_url, **options})


def turned_on_by(registration: Registration, needs: tuple[tuple[str, ...], ...] = ()) -> str:
    """The environment variables that turn it on, or that ``needs`` of it."""
    if not registration.base_url:
        return f"`MESHAPI_{registration.name.upper().replace('-', '_')}_BASE_URL`"
    names = registration.credentials
    ways = needs or registration.needs or (tuple(names),)
    return " or ".join(" and ".join(f"`{names[each][0]}`" for each in way) for way in ways)


def inputs(adapter: Adapter, catalogue: Catalogue) -> str:
    """What at least one model in the catalogue takes."""
    cards = [each for each in catalogue if each.provider == adapter.name and adapter.serves(each.upstream_id)]
    if not cards:
        return "as the operator's cards say"
    scenarios = {scenario for card in cards for scenario in card.scenarios}
    roles = {role for card in cards if card.references for role in card.references.roles()}
    kinds = [word for role, word in _KINDS.items() if role in roles]
    found = [word for scenario, word in _INPUTS.items() if scenario in scenarios]
    if kinds:
        found.append(f"reference {', '.join(kinds)}")
    return ", ".join(found)


def _rows(registration: Registration, catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for protocol in registration.protocols or (Protocol(name="", options={}, needs=()),):
        adapter = built(registration, protocol.options)
        yield (
            f"`{registration.name}`" + (f" ({protocol.name})" if protocol.name else ""),
            turned_on_by(registration, protocol.needs),
            *(cell(adapter) for cell in COLUMNS.values()),
            inputs(adapter, catalogue),
        )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page(Catalogue.load()))
