"""Every adapter there is: the built-in ones, one line each, and those of installed packages."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from .adapter import Registration

GROUP = "meshapi.upstreams"

# The place of each registration; imported only when it is asked for.
BUILT_IN: tuple[str, ...] = (
    "meshapi_server.upstreams.byteplus:BYTEPLUS",
    "meshapi_server.upstreams.byteplus:VOLCENGINE",
    "meshapi_server.upstreams.openai_videos:OPENAI_VIDEOS",
    "meshapi_server.upstreams.fal:FAL",
    "meshapi_server.upstreams.replicate:REPLICATE",
    "meshapi_server.upstreams.luma:LUMA",
    "meshapi_server.upstreams.runway:RUNWAY",
    "meshapi_server.upstreams.google:GOOGLE",
    "meshapi_server.upstreams.xai:XAI",
    "meshapi_server.upstreams.kling:KLING",
    "meshapi_server.upstreams.minimax:MINIMAX",
    "meshapi_server.upstreams.alibaba:ALIBABA",
    "meshapi_server.upstreams.vidu:VIDU",
    "meshapi_server.upstreams.pixverse:PIXVERSE",
    "meshapi_server.upstreams.openrouter:OPENROUTER",
)


class AdapterInvalid(Exception):
    """An installed package publishes an upstream that cannot be used; the message names it."""


def registrations(published: Iterable[EntryPoint] | None = None) -> Mapping[str, Registration]:
    """Every registration by its name. ``published`` are entry points; by default those of this environment.

    Raises AdapterInvalid for an entry point that does not load, is no Registration, or takes a name twice.
    """
    found: dict[str, Registration] = {}
    for place in BUILT_IN:
        module, _, name = place.partition(":")
        registration: Registration = getattr(import_module(module), name)
        found[registration.name] = registration
    for entry in entry_points(group=GROUP) if published is None else published:
        registration = _loaded(entry)
        if registration.name in found:
            raise AdapterInvalid(f"{entry.value}: there is another upstream named {registration.name!r}")
        found[registration.name] = registration
    return found


def _loaded(entry: EntryPoint) -> Registration:
    try:
        registration = entry.load()
    except Exception as fault:
        raise AdapterInvalid(f"{entry.value} cannot be loaded: {type(fault).__name__}: {fault}") from fault
    if not isinstance(registration, Registration):
        raise AdapterInvalid(f"{entry.value} is no Registration but {type(registration).__name__}")
    return registration
