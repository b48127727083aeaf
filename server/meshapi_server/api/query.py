"""Query strings of the list and get calls, checked by hand so that every fault names its parameter."""

import datetime
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from msgspec import Struct

from meshapi_server.accounts.usage import Dimension, usual_first
from meshapi_server.callbacks.ports import DeliveryQuery
from meshapi_server.tasks.errors import Detail
from meshapi_server.tasks.ports import Query

from .errors import APIError, invalid, validation

Values = Mapping[str, Sequence[str]]

MAX_WAIT = 60
MAX_DAYS = 366
_USAGE_BY: tuple[Dimension, ...] = ("day", "key", "model")
_DELIVERY_STATUSES = ("pending", "delivered", "dead")
_EVENT_ID = re.compile(r"^evt_[0-9A-HJKMNP-TV-Z]{26}$")
_STATUSES = ("pending", "running", "succeeded", "failed")
_PENDING_ALIASES = {"queued": "pending"}
_ERROR_ALIASES = ("expired", "cancelled")
_METADATA = re.compile(r"^metadata\[(.{1,64})\]$", re.DOTALL)
_WHOLE = re.compile(r"^[+-]?\d{1,18}$", re.ASCII)
_PREFER_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])", re.IGNORECASE)


class UsageQuery(Struct, frozen=True, kw_only=True):
    """Which usage: the days, both included (UTC), and what is told apart."""

    first: datetime.date
    last: datetime.date
    by: tuple[Dimension, ...]
    as_csv: bool


def parse(query_string: bytes) -> dict[str, list[str]]:
    """The parameters by name, in order; raises 400 for what is no query string."""
    values: dict[str, list[str]] = {}
    if not query_string:
        return values
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, max_num_fields=200, errors="strict"
        )
    except (ValueError, UnicodeDecodeError):
        raise APIError(
            "invalid_request", "The query string is malformed or has too many parameters."
        ) from None
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def listing(values: Values) -> Query:
    """The list request (wire.md section 6). Raises 422 for values that are not allowed."""
    problems: list[Detail] = []
    statuses, errors = _status_filter(values.get("status", ()), problems)
    query = Query(
        limit=_whole(values, "limit", 1, 200, 50, problems),
        offset=_whole(values, "offset", 0, 10**15, 0, problems),
        statuses=statuses,
        errors=errors,
        models=tuple(values.get("model", ())),
        created_after=_moment(values, "created_after", problems),
        created_before=_moment(values, "created_before", problems),
        after=_last(values, "after"),
        metadata=tuple(
            (match[1], value)
            for name, given in values.items()
            if (match := _METADATA.match(name))
            for value in given
        ),
    )
    if problems:
        raise validation(tuple(problems))
    return query


def wait_seconds(values: Values, prefer: str | None) -> int:
    """How long a get may be held: ``?wait=`` (checked), else ``Prefer: wait=`` (RFC 7240; clamped)."""
    if "wait" in values:
        problems: list[Detail] = []
        seconds = _whole(values, "wait", 0, MAX_WAIT, 0, problems)
        if problems:
            raise validation(tuple(problems))
        return seconds
    match = _PREFER_WAIT.search(prefer or "")
    return min(MAX_WAIT, int(match[1])) if match else 0


def deliveries(values: Values) -> DeliveryQuery:
    """Which deliveries to list. Raises 422 for values that are not allowed."""
    problems: list[Detail] = []
    status = _last(values, "status")
    if status is not None and status not in _DELIVERY_STATUSES:
        message = f"{status[:40]!r} is no status; use {', '.join(_DELIVERY_STATUSES)}"
        problems.append(Detail("value_error", ("query", "status"), message))
    query = DeliveryQuery(
        limit=_whole(values, "limit", 1, 200, 50, problems),
        after=_last(values, "after"),
        status=status,
        endpoint_id=_last(values, "endpoint_id"),
        event_id=_last(values, "event_id"),
        task_id=_last(values, "task_id"),
    )
    if problems:
        raise validation(tuple(problems))
    return query


def keys(values: Values) -> tuple[str | None, str, int]:
    """Whose keys to list (None: all), behind which key to go on, and how many to answer. Raises 422."""
    problems: list[Detail] = []
    limit = _whole(values, "limit", 1, 200, 50, problems)
    if problems:
        raise validation(tuple(problems))
    return _last(values, "owner"), _last(values, "after") or "", limit


def events(values: Values) -> tuple[str, int]:
    """Behind which event to go on (empty: from the oldest), and how many to answer. Raises 422."""
    problems: list[Detail] = []
    limit = _whole(values, "limit", 1, 200, 50, problems)
    after = _last(values, "after") or ""
    if after and not _EVENT_ID.match(after):
        message = f"{after[:80]!r} is no event id; send the `next` of the answer before"
        problems.append(Detail("value_error", ("query", "after"), message))
    if problems:
        raise validation(tuple(problems))
    return after, limit


def usage(values: Values, accept: str, today: datetime.date) -> UsageQuery:
    """Which usage to tell, and how. Raises 422 for values that are not allowed."""
    problems: list[Detail] = []
    last = _date(values, "to", today, problems)
    first = _date(values, "from", usual_first(min(last, today)), problems)
    if not problems and not 0 <= (last - first).days < MAX_DAYS:
        message = f"from {first} to {last}: from must not be after to, nor {MAX_DAYS} days before it"
        problems.append(Detail("value_error", ("query", "from"), message))
    chosen = [part for value in values.get("by", ()) for part in value.split(",") if part]
    strange = [part for part in chosen if part not in _USAGE_BY]
    if strange:
        message = f"{strange[0][:40]!r} is no dimension; use {', '.join(_USAGE_BY)}"
        problems.append(Detail("value_error", ("query", "by"), message))
    form = _last(values, "format")
    if form not in {None, "json", "csv"}:
        message = f"{str(form)[:40]!r} is no format; use json or csv"
        problems.append(Detail("value_error", ("query", "format"), message))
    if problems:
        raise validation(tuple(problems))
    by = tuple(each for each in _USAGE_BY if each in chosen or not chosen)
    return UsageQuery(
        first=first, last=last, by=by, as_csv=form == "csv" or (not form and _wants_csv(accept))
    )


def variant(values: Values) -> str:
    """Which file ``/content`` is asked for."""
    value = _last(values, "variant")
    if value not in {None, "video", "last_frame"}:
        raise invalid(
            "value_error", ("query", "variant"), f"{value!r} is no variant; use video or last_frame"
        )
    return value or "video"


def _wants_csv(accept: str) -> bool:
    """Whether an Accept header (RFC 9110 section 12.5.1) names CSV before JSON; weights are left aside."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    wanted = next((each for each in named if each in {"text/csv", "application/json", "*/*"}), None)
    return wanted == "text/csv"


def _date(values: Values, name: str, default: datetime.date, problems: list[Detail]) -> datetime.date:
    text = _last(values, name)
    if text is None:
        return default
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        message = f"{text[:40]!r} is no day such as 2026-11-21 (UTC)"
        problems.append(Detail("value_error", ("query", name), message))
        return default


def _last(values: Values, name: str) -> str | None:
    given = values.get(name)
    return given[-1] if given else None


def _whole(values: Values, name: str, low: int, high: int, default: int, problems: list[Detail]) -> int:
    text = _last(values, name)
    if text is None:
        return default
    if _WHOLE.match(text) and low <= int(text) <= high:
        return int(text)
    message = f"{text[:40]!r} is not a whole number from {low} to {high}"
    problems.append(Detail("value_error", ("query", name), message))
    return default


def _status_filter(given: Sequence[str], problems: list[Detail]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    statuses, errors = [], []
    for value in given:
        status = _PENDING_ALIASES.get(value, value)
        if status in _STATUSES:
            statuses.append(status)
        elif value in _ERROR_ALIASES:
            errors.append(value)
        else:
            allowed = ", ".join((*_STATUSES, *_PENDING_ALIASES, *_ERROR_ALIASES))
            message = f"{value[:40]!r} is no status; use {allowed}"
            problems.append(Detail("value_error", ("query", "status"), message))
    return tuple(dict.fromkeys(statuses)), tuple(dict.fromkeys(errors))


def _moment(values: Values, name: str, problems: list[Detail]) -> int | None:
    text = _last(values, name)
    if text is None:
        return None
    try:
        # A "+" of an offset that a client did not escape arrives as a space.
        moment = datetime.datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        message = f"{text[:60]!r} is no ISO 8601 time such as 2026-11-21T09:30:00Z"
        problems.append(Detail("value_error", ("query", name), message))
        return None
