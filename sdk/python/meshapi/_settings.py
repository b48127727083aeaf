"""Where a client goes and with which key (contract: base-url). Argument before environment before default."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from ._retry import RetryPolicy
from .errors import ConfigurationError

if TYPE_CHECKING:
    import httpx2

Timeout: TypeAlias = "float | httpx2.Timeout | None"

DEFAULT_BASE_URL = "https://api.meshapi.ai"
DEFAULT_TIMEOUT = 60.0
_KEY = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a client was told. ``timeout`` is seconds for each of connecting, sending and receiving."""

    root: str
    api_key: str = field(repr=False)
    timeout: Timeout = DEFAULT_TIMEOUT
    retry: RetryPolicy = field(default_factory=RetryPolicy)


def resolve(
    *,
    api_key: str | None,
    token: str | None,
    base_url: str | None,
    timeout: Timeout,
    max_retries: int | None,
    retry: RetryPolicy | None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings from a client's arguments and MESHAPI_API_KEY, MESHAPI_TOKEN and MESHAPI_BASE_URL."""
    variables = os.environ if environment is None else environment
    policy = retry or RetryPolicy()
    if max_retries is not None:
        policy = with_retries(policy, max_retries)
    return Settings(
        root=normalise_base_url(base_url or variables.get("MESHAPI_BASE_URL") or DEFAULT_BASE_URL),
        api_key=_key(api_key, token, variables),
        timeout=checked_timeout(timeout),
        retry=policy,
    )


def normalise_base_url(base_url: str) -> str:
    """The URL without a trailing slash and without one trailing ``/v1``. Raises ConfigurationError."""
    text = str(base_url).strip()
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigurationError(f"base_url {text!r} is no URL; expected one like https://api.meshapi.ai")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url holds a user name or password; the key belongs into api_key")
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"base_url {text!r} has a query or fragment; expected scheme, host and path only"
        )
    path = parts.path.rstrip("/")
    if path.endswith("/v1"):
        path = path.removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def checked_timeout(timeout: Timeout) -> Timeout:
    """The timeout, refused when it is a number that is not positive."""
    if isinstance(timeout, bool) or (isinstance(timeout, int | float) and not timeout > 0):
        raise ConfigurationError(f"timeout must be a positive number of seconds or None, got {timeout!r}")
    return timeout


def with_retries(policy: RetryPolicy, max_retries: int) -> RetryPolicy:
    """The policy with another number of repetitions."""
    return RetryPolicy(max_retries, policy.initial_seconds, policy.max_seconds, policy.total_seconds)


def _key(api_key: str | None, token: str | None, variables: Mapping[str, str]) -> str:
    if api_key is not None and token is not None and api_key != token:
        raise ConfigurationError("api_key and token are two names for one thing and were given differently")
    given = api_key if api_key is not None else token
    key = given if given is not None else variables.get("MESHAPI_API_KEY") or variables.get("MESHAPI_TOKEN")
    if not key:
        raise ConfigurationError(
            "no API key: pass api_key=... (or token=...), or set the environment variable MESHAPI_API_KEY"
        )
    if not isinstance(key, str) or not _KEY.fullmatch(key.strip()):
        # The value itself is never shown.
        raise ConfigurationError(
            "the API key has characters that no key has (blanks, line breaks, non-ASCII)"
        )
    return key.strip()
