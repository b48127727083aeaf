"""Which upstreams are on here: those whose credentials, or whose base URL, are in the environment."""

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from msgspec.structs import replace

from .adapter import Registration
from .adapters import registrations
from .contract import FetchInput, Limits
from .credentials import Credentials
from .runner import HttpUpstream
from .transport import Timeouts


class UpstreamMisconfigured(ValueError):
    """A variable of an upstream cannot be used; the message names it and what would be accepted."""


def enabled(
    environment: Mapping[str, str],
    clock: Callable[[], int],
    *,
    lease: float = 30.0,
    fetch_input: FetchInput | None = None,
    known: Mapping[str, Registration] | None = None,
) -> tuple[HttpUpstream, ...]:
    """The upstreams that are on, in the order of the registry. Nothing is connected yet.

    ``MESHAPI_<UPSTREAM>_BASE_URL`` points one elsewhere, ``MESHAPI_<UPSTREAM>_TASKS`` sets how many tasks it
    may have at once. ``lease`` (s) bounds every call. Raises UpstreamMisconfigured.
    """
    all_known = registrations() if known is None else known
    return tuple(
        _built(registration, environment, clock, Timeouts.within(lease), fetch_input)
        for registration in all_known.values()
        if is_on(registration, environment)
    )


def enabled_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the upstreams that are on."""
    return tuple(name for name, each in registrations().items() if is_on(each, environment))


async def close(upstreams: Iterable[HttpUpstream]) -> None:
    """Close every connection of these upstreams."""
    for upstream in upstreams:
        await upstream.close()


def is_on(registration: Registration, environment: Mapping[str, str]) -> bool:
    """Whether the environment holds all that this upstream needs."""
    if not registration.base_url and not environment.get(variable(registration.name, "BASE_URL")):
        return False
    has = values(registration.credentials, environment)
    alternatives = registration.needs or (tuple(registration.credentials),)
    return not registration.base_url or any(all(name in has for name in each) for each in alternatives)


def variable(upstream: str, setting: str) -> str:
    """The environment variable of a setting that every upstream has."""
    return f"MESHAPI_{upstream.upper().replace('-', '_')}_{setting}"


def _built(
    registration: Registration,
    environment: Mapping[str, str],
    clock: Callable[[], int],
    timeouts: Timeouts,
    fetch_input: FetchInput | None,
) -> HttpUpstream:
    base_url = environment.get(variable(registration.name, "BASE_URL")) or registration.base_url
    _check_base_url(registration, base_url)
    options = {**values(registration.options, environment), Registration.BASE_URL: base_url}
    try:
        adapter = registration.build(options)
    except ValueError as fault:
        raise UpstreamMisconfigured(f"{registration.name}: {fault}") from None
    return HttpUpstream(
        adapter,
        Credentials(values(registration.credentials, environment)),
        clock,
        base_url=base_url.partition(",")[0].strip(),
        timeouts=timeouts,
        fetch_input=fetch_input,
        limits=_limits(registration, environment, adapter.limits),
    )


def values(variables: Mapping[str, tuple[str, ...]], environment: Mapping[str, str]) -> dict[str, str]:
    """What is set, by its name; blank space around a key, as a file's last line break, is no part of it."""
    found = {
        name: next((environment[each].strip() for each in names if environment.get(each, "").strip()), "")
        for name, names in variables.items()
    }
    return {name: value for name, value in found.items() if value}


def _check_base_url(registration: Registration, base_url: str) -> None:
    for each in base_url.split(","):
        parts = urlsplit(each.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise UpstreamMisconfigured(
                f"{variable(registration.name, 'BASE_URL')}: {each!r} is no URL such as https://host/path"
            )


def _limits(registration: Registration, environment: Mapping[str, str], usual: Limits) -> Limits:
    name = variable(registration.name, "TASKS")
    wish = environment.get(name)
    if not wish:
        return usual
    if not wish.isdigit() or int(wish) < 1:
        raise UpstreamMisconfigured(f"{name}: {wish!r} is no number of tasks from 1")
    return replace(usual, tasks=int(wish))
