"""The paths of the API, every id escaped (contract: path-escaping)."""

from urllib.parse import quote

from .errors import InvalidIdError

GENERATIONS = "/v1/video/generations"
QUOTE = "/v1/video/quote"
MODELS = "/v1/models"
WEBHOOKS = "/v1/webhooks"
EVENTS = "/v1/events"
USAGE = "/v1/usage"
HEALTH = "/healthz"


def generation(task_id: str, action: str = "") -> str:
    """The path of one task, or of something under it such as ``cancel``."""
    path = f"{GENERATIONS}/{_segment(task_id, 'task id', task_id)}"
    return f"{path}/{action}" if action else path


def model(model_id: str) -> str:
    """The path of one model, whose id is segments divided by slashes."""
    segments = [_segment(part, "model id", model_id) for part in _text(model_id, "model id").split("/")]
    return f"{MODELS}/{'/'.join(segments)}"


def webhooks(*parts: str) -> str:
    """The path of something of callbacks: ``endpoints``, one by its id, or an action on it."""
    return "/".join([WEBHOOKS, *(_segment(part, "webhook id", part) for part in parts)])


def _segment(value: str, noun: str, whole: str) -> str:
    # "." and ".." are refused: readers of URLs resolve them in their percent-encoded form too.
    if _text(value, noun) in {"", ".", ".."}:
        raise InvalidIdError(f"{whole!r} is not a {noun}: it has an empty segment, '.' or '..'")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidIdError(f"{whole!r} is not a {noun}: it is not text that UTF-8 can carry") from None


def _text(value: object, noun: str) -> str:
    if not isinstance(value, str):
        raise InvalidIdError(f"a {noun} is a string, got {type(value).__name__}")
    return value
