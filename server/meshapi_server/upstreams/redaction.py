"""Taking secrets out of what is logged, raised or kept, and cutting it to a size."""

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from .adapter import Forged
from .contract import Deferred, Rejected, TaskError, Unserved

REMOVED = "[removed]"
LONGEST_TEXT = 1_000
MOST_ITEMS = 20
DEEPEST = 6
LARGEST_VALUE = 8_000  # bytes of JSON

_SHORTEST_SECRET = 6
_HEADER = re.compile(r"(?i)\b(bearer|key|token|basic)\s+[A-Za-z0-9._~+/=:-]{12,}")
_QUERY = re.compile(
    r"(?i)([?&][^=&\s\"']*(?:sign|sig|token|jwt|key|credential|secret|auth|policy)[^=&\s\"']*=)[^&\s\"'#]+"
)
_DATA = re.compile(r"(data:[^;,\s\"']{0,100};base64,)[A-Za-z0-9+/=]+")


class Redactor:
    """Removes known secrets, in the forms in which they travel, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, text: str) -> str:
        """The text without secrets, cut to its longest."""
        if self._known is not None:
            text = self._known.sub(REMOVED, text)
        text = _HEADER.sub(rf"\1 {REMOVED}", text)
        text = _QUERY.sub(rf"\1{REMOVED}", text)
        text = _DATA.sub(rf"\1{REMOVED}", text)
        return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON value without secrets, cut in depth, length and number."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (dict, list)) and depth >= DEEPEST:
            return "..."
        if isinstance(value, dict):
            first = list(value.items())[:MOST_ITEMS]
            return {self.text(str(name)): self.value(each, depth + 1) for name, each in first}
        if isinstance(value, list):
            return [self.value(each, depth + 1) for each in value[:MOST_ITEMS]]
        return value

    def error(self, error: TaskError) -> TaskError:
        """A task error that may be stored and shown."""
        return replace(
            error,
            message=self.text(error.message),
            provider_code=None if error.provider_code is None else self.text(error.provider_code),
            provider_error=self._words(error.provider_error),
        )

    def _words(self, words: dict[str, Any] | None) -> dict[str, Any] | None:
        if words is None:
            return None
        safe: dict[str, Any] = self.value(words)
        encoded = msgspec.json.encode(safe)
        if len(encoded) <= LARGEST_VALUE:
            return safe
        return {"beginning": encoded[:LONGEST_TEXT].decode("utf-8", "replace")}

    def exception(self, fault: Exception) -> Exception:
        """A new exception of the same meaning, without cause, context or arguments that hold a secret."""
        if isinstance(fault, Rejected):
            return Rejected(self.error(fault.error))
        if isinstance(fault, Unserved):
            return Unserved(self.error(fault.error))
        if isinstance(fault, Deferred):
            return Deferred(self.text(str(fault)), fault.retry_after, pause=fault.pause)
        if isinstance(fault, Forged):
            return Forged(self.text(str(fault)))
        return UpstreamFault(self.text(f"{type(fault).__name__}: {fault}"))


class UpstreamFault(Exception):
    """A call that ended without an answer to rely on."""


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="")

    yield base64.b64encode(secret.encode()).decode().rstrip("=")
