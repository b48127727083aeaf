"""Nothing secret is told: not by a log at debug level through the whole life of a server, not by a repr."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshapi_server.api.webhook_bodies import endpoint_body, secret_body
from meshapi_server.callbacks import signing
from meshapi_server.callbacks.ports import Endpoint, Parcel, SigningSecret
from meshapi_server.settings import Settings, SettingsInvalid, load
from meshapi_server.store.database_url import shown
from meshapi_server.upstreams.callback_urls import CallbackURLs
from meshapi_server.upstreams.credentials import Credentials

from ..hook import Hook
from ..samples import OWNER
from ..serving import COMMAND, GENERATIONS, ServerProcess, environment, keys, serving

CREDENTIAL = "upstream-credential-4711"
PASSWORD = "hunter2-hunter2"
PROMPT = "my private idea"


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()


@pytest.mark.slow
def test_a_log_at_debug_level_through_a_whole_life_tells_no_secret(tmp_path: Path, hook: Hook) -> None:
    options = ("--log-level", "debug", "--simulate")
    with serving(tmp_path / "data", *options, FAL_KEY=CREDENTIAL, MESHAPI_PRIVATE_SOURCES="true") as server:
        found = live(server, hook)
        development = server.api_key
    said = server.stdout + server.stderr
    assert len(server.stderr.splitlines()) > 5, "the log says too little to prove anything"
    assert [name for name, secret in found.items() if secret in server.stderr] == []
    # The development key is shown once, on the first start, on standard output.
    assert (said.count(development), server.stderr.count(development)) == (1, 0)
    assert [name for name, secret in found.items() if secret in server.stdout] == ["development key"]


def live(server: ServerProcess, hook: Hook) -> dict[str, str]:
    """Whatever a server can be asked, rightly and wrongly; the secrets that this brought about."""
    caller = server.caller()
    made = json.loads(keys(server.data, "create", "--name", "second", "--json").stdout)
    second = server.caller(made["key"])
    endpoint = caller.post(
        {"url": hook.url("/endpoint?token=endpoint-token")}, "/v1/webhooks/endpoints"
    ).json()
    rotated = caller.post(path=f"/v1/webhooks/endpoints/{endpoint['id']}/rotate").json()
    secret = caller.get("/v1/webhooks/secret").json()["secret"]
    content = [{"type": "text", "text": PROMPT}]
    tasks = [
        caller.ended(caller.create(model, content=content, callback_url=hook.url(path)))
        for model, path in [
            ("sandbox/instant", "/task?token=callback-token"),
            ("sandbox/moderated", "/fails?token=callback-token"),
            ("sandbox/fails", "/task"),
        ]
    ]
    hook.wait("/task")
    link = tasks[0]["content"]["video_url"]
    misuse(server, link)
    second.get(f"{GENERATIONS}/{tasks[0]['id']}")
    keys(server.data, "revoke", made["id"])
    second.get(GENERATIONS)
    return {
        "development key": server.api_key,
        "second key": made["key"],
        "unknown key": "rsk_nobodysnobodysnobodysnobody",
        "endpoint secret": endpoint["secret"],
        "rotated secret": rotated["secret"],
        "owner secret": secret,
        "endpoint address": "endpoint-token",
        "callback address": "callback-token",
        "link": link.partition("signature=")[2],
        "credential": CREDENTIAL,
        "prompt": PROMPT,
    }


def misuse(server: ServerProcess, link: str) -> None:
    """Requests that go wrong, each with something that is not to be repeated."""
    caller, nobody = server.caller(), server.caller("rsk_nobodysnobodysnobodysnobody")
    nobody.get(GENERATIONS)
    path = "/files/" + link.partition("/files/")[2]
    for target in (path + "x", path.replace("expires=", "expires=1"), path):
        caller.raw("GET", target, {"range": "bytes=0-9"})
    caller.post({"model": "fal/nothing", "content": [{"type": "text", "text": PROMPT}]})
    caller.raw("POST", GENERATIONS, body=f'{{"model": "{PROMPT}'.encode())
    caller.raw("GET", f"/v1/upstreams/fal/callbacks/task_1/{server.api_key}")
    caller.raw("GET", f"/{server.api_key}?key={server.api_key}", {"x-strange": "\xff"})


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://mesh:{PASSWORD}@127.0.0.1:1/mesh",
        f"postgresql://127.0.0.1:1/mesh?user=mesh&password={PASSWORD}",
        f"postgresql://mesh:{PASSWORD}/{PASSWORD}@127.0.0.1:1/mesh",
        f"mysql://mesh:{PASSWORD}@127.0.0.1/mesh",
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(tmp_path: Path, url: str) -> None:
    told = subprocess.run(
        [COMMAND, "serve", "--port", "0", "--log-level", "debug", "--data", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(MESHAPI_DATABASE_URL=url),
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert PASSWORD not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        (f"postgresql://mesh:{PASSWORD}@host:5432/db?a=b", "postgresql://mesh:…@host:5432/db?a=b"),
        (f"postgresql://mesh:{PASSWORD}/@:{PASSWORD}@host/db", "postgresql://mesh:…@host/db"),
        (
            f"postgresql://host/db?user=a&password={PASSWORD}&b=c",
            "postgresql://host/db?user=a&password=…&b=c",
        ),
        ("postgresql://mesh@host/db", "postgresql://mesh@host/db"),
        ("sqlite:////var/a:b/c@d.db", "sqlite:////var/a:b/c@d.db"),
    ],
)
def test_a_database_url_is_shown_without_its_password(url: str, safe: str) -> None:
    assert shown(url) == safe


def secretive() -> list[tuple[str, Any]]:
    """Everything that holds a secret and may come into a log or an exception by accident."""
    value = PASSWORD.encode().ljust(signing.SECRET_BYTES, b"!")
    secret = SigningSecret(value=value, created_at=1)
    endpoint = Endpoint(
        id="whe_1", owner=OWNER, url="https://a.example/", description="", enabled=True, events=(),
        created_at=1, updated_at=1,
    )  # fmt: skip
    return [
        ("settings", Settings(database=f"postgresql://mesh:{PASSWORD}@host/db")),
        ("signing secret", secret),
        ("parcel", Parcel(delivery=_Named("whd_1"), task=None, endpoint=endpoint, secrets=(value,))),  # type: ignore[arg-type]
        ("endpoint body", endpoint_body(endpoint, [secret])),
        ("secret body", secret_body([secret])),
        ("credentials", Credentials({"key": PASSWORD})),
        ("callback urls", CallbackURLs("https://mesh.example", PASSWORD.encode())),
    ]


class _Named:
    def __init__(self, id_: str) -> None:
        self.id = id_


@pytest.mark.parametrize(
    ("name", "holder"), secretive(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_repr_tells_a_secret(name: str, holder: Any) -> None:
    shown_secret = signing.shown(PASSWORD.encode().ljust(signing.SECRET_BYTES, b"!"))
    for text in (repr(holder), str(holder), f"{holder}", repr([holder])):
        assert PASSWORD not in text, name
        assert shown_secret not in text, name


def test_settings_that_cannot_be_used_are_named_without_the_password() -> None:
    with pytest.raises(SettingsInvalid) as told:
        load({"database": f"postgresql://mesh:{PASSWORD}@host/db", "lease": 0}, {})
    assert PASSWORD not in f"{told.value!r}{told.value}"


def test_the_data_directory_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)  # made by an operator who did not think of it
    with serving(data) as server:
        server.caller().ended(server.caller().create("sandbox/instant"))
        open_to_others = [
            f"{path.relative_to(data)} {path.stat().st_mode:o}"
            for path in data.rglob("*")
            if path.stat().st_mode & 0o077
        ]
    assert open_to_others == []
    assert re.search("development", " ".join(path.name for path in data.iterdir()))
