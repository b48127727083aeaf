"""Google: Gemini Omni on the Developer API, Veo on Vertex AI (Gemini Enterprise Agent Platform)."""

from collections.abc import Mapping
from pathlib import Path

from meshapi_server.upstreams.adapter import Adapter, Protocol, Registration

from .account import Account
from .adapter import Google
from .veo import Place

__all__ = ["GOOGLE", "Google"]

_DEVELOPER_API = "https://generativelanguage.googleapis.com"
_STORAGE = "https://storage.googleapis.com"
_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
_FILE = ("GOOGLE_APPLICATION_CREDENTIALS",)
_PROJECT = ("GOOGLE_CLOUD_PROJECT",)
_GEMINI = (("key",),)
_VERTEX = (
    ("account",),
    ("token", "project"),
    ("account_file", "project"),
    ("metadata_host", "project"),
)


def _build(options: Mapping[str, str]) -> Adapter:
    """Omni where there is a key; Veo where there is a project. A replaced base URL stands for both."""
    base_url = options.get(Registration.BASE_URL) or _DEVELOPER_API
    location = options.get("location") or "us-central1"
    elsewhere = base_url.rstrip("/") if base_url.rstrip("/") != _DEVELOPER_API else ""
    account = _account(options)
    project = options.get("project") or (account.project if account else "")
    place = None
    if project:
        place = Place(
            url=elsewhere or _vertex(location),
            storage_url=elsewhere or _STORAGE,
            project=project,
            location=location,
            bucket=options.get("bucket", "").removeprefix("gs://").strip("/"),
        )
    return Google(base_url, place, account, omni="key" in options)


def _account(options: Mapping[str, str]) -> Account | None:
    """The account of the variable, or of the file that Google's own libraries read. Raises ValueError.

    The file may be there for other programs, so it counts only where a project is named, too.
    """
    text = options.get("account")
    if text is None and "account_file" in options and "project" in options:
        try:
            text = Path(options["account_file"]).read_text("utf-8")
        except OSError as fault:
            raise ValueError(f"{_FILE[0]}: the file cannot be read ({type(fault).__name__})") from None
    return None if text is None else Account.read(text)


def _vertex(location: str) -> str:
    prefix = "" if location == "global" else f"{location}-"
    return f"https://{prefix}aiplatform.googleapis.com"


# What turns it on stands among the credentials; what ``build`` needs to know stands among the options, too.
# The adapter keeps none of it but the account, which shows itself to nobody.
GOOGLE = Registration(
    name="google",
    build=_build,
    credentials={
        "key": _KEYS,
        "token": ("MESHAPI_GOOGLE_ACCESS_TOKEN",),
        "account": ("MESHAPI_GOOGLE_SERVICE_ACCOUNT",),
        "account_file": _FILE,
        "metadata_host": ("GCE_METADATA_HOST",),
        "project": _PROJECT,
        "webhook_secret": ("MESHAPI_GOOGLE_WEBHOOK_SECRET",),
    },
    options={
        "key": _KEYS,
        "account": ("MESHAPI_GOOGLE_SERVICE_ACCOUNT",),
        "account_file": _FILE,
        "project": _PROJECT,
        "location": ("GOOGLE_CLOUD_LOCATION",),
        "bucket": ("MESHAPI_GOOGLE_BUCKET",),
    },
    needs=(*_GEMINI, *_VERTEX),
    base_url=_DEVELOPER_API,
    protocols=(
        Protocol(name="Gemini API", options={"key": "a key"}, needs=_GEMINI),
        Protocol(name="Vertex AI", options={"project": "a-project"}, needs=_VERTEX),
    ),
)
