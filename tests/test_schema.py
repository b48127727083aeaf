"""The published document and the server hold each other to their word: schemathesis over `/openapi.json`."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from server_process import MESHAPI, ServerProcess

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))


def test_no_input_breaks_the_server_or_its_word(server: ServerProcess, tmp_path: Path) -> None:
    """No 5xx, no answer outside the document, no bad input accepted, in some thousand requests.

    One check is left out: `positive_data_acceptance` wants every well-formed request accepted, but
    which durations, roles and texts a model takes is its card's matter and answered 422.
    """
    said = schemathesis(server, server.key, tmp_path, "--max-examples", "30")
    assert f"Tested: {len(operations(document_of(server)))}" in said
    assert '"level": "error"' not in server.log()


def test_nor_does_it_with_a_key_that_manages_keys(server: ServerProcess, tmp_path: Path) -> None:
    """The same for the operations that turn any other key away."""
    words = [MESHAPI, "keys", "create", "--name", "admin", "--admin", "--json", "--data", str(server.data)]
    admin = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)["key"]
    said = schemathesis(server, admin, tmp_path, "--max-examples", "15", "--include-tag", "admin")
    assert f"Tested: {len(operations(document_of(server), 'admin'))}" in said
    assert '"level": "error"' not in server.log()


def schemathesis(server: ServerProcess, key: str, folder: Path, *options: str) -> str:
    """Let it loose on the server; what it says when it found nothing."""
    run = subprocess.run(
        [
            SCHEMATHESIS,
            "run",
            f"{server.base_url}/openapi.json",
            "--header",
            f"Authorization: Bearer {key}",
            "--phases",
            "examples,coverage,fuzzing",
            "--exclude-checks",
            "positive_data_acceptance",
            "--request-timeout",
            "30",
            "--continue-on-failure",
            "--seed",
            "1",
            "--no-color",
            *options,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    return run.stdout


def test_the_document_is_openapi_3_1_with_valid_schemas(server: ServerProcess) -> None:
    document = document_of(server)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": server.base_url}]
    for part in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(part)
    named = operations(document)
    assert len(named) == len(set(named)) > 20


def document_of(server: ServerProcess) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.base_url}/openapi.json", timeout=10) as answer:
        document: dict[str, Any] = json.loads(answer.read())
    return document


def operations(document: dict[str, Any], tag: str | None = None) -> list[str]:
    """The name of every operation, or of those with a tag."""
    return [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if tag is None or tag in operation["tags"]
    ]
