"""POST /v1/video/generations: what is accepted and what the answer says (wire.md section 2)."""

from typing import Any

import pytest

from ..serving import GENERATIONS, TEXT, Caller, error

FIELDS = {
    *("id", "status", "model", "error", "content", "created_at", "updated_at", "seed", "resolution", "ratio"),
    *("duration", "frames", "framespersecond", "generate_audio", "safety_identifier", "priority", "draft"),
    *("draft_task_id", "service_tier", "execution_expires_after", "usage", "progress", "queue_position"),
    *("plan", "video", "warnings", "charged", "cost_usd", "metadata", "expires_at", "completed_at"),
}
EVERYTHING: dict[str, Any] = {
    "model": "sandbox/stuck",
    "content": TEXT,
    "duration": 7,
    "resolution": "480p",
    "ratio": "1:1",
    "seed": 4_294_967_295,
    "generate_audio": True,
    "return_last_frame": True,
    "camera_fixed": True,
    "watermark": False,
    "draft": False,
    "service_tier": "flex",
    "execution_expires_after": 60,
    "priority": 9,
    "safety_identifier": "u" * 256,
    "negative_prompt": "rain",
    "guidance_scale": 7.5,
    "num_inference_steps": 30,
    "output_format": "mp4",
    "omni_reference_task_type": "edit",
    "metadata": {f"{number:064}": "v" * 512 for number in range(16)},
}


def details(caller: Caller, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The details of a create that is refused as not valid."""
    found = error(caller.post(body), 422, "validation_error")
    assert found["details"]
    assert all(set(detail) == {"type", "loc", "msg"} for detail in found["details"])
    return list(found["details"])


def test_a_create_answers_200_with_the_whole_task(caller: Caller) -> None:
    task = caller.create()
    assert set(task) == FIELDS | {"unsupported_params"}
    assert task["id"].startswith("task_")
    assert (task["status"], task["error"], task["content"], task["unsupported_params"]) == (
        "pending",
        None,
        None,
        None,
    )
    assert task["expires_at"] == task["created_at"] + 172_800
    assert set(caller.task(task["id"])) == FIELDS


def test_every_documented_parameter_is_accepted_and_shown(caller: Caller) -> None:
    task = caller.create(**EVERYTHING)
    assert task["unsupported_params"] is None
    shown = (
        *("duration", "resolution", "ratio", "seed", "generate_audio", "draft", "service_tier", "priority"),
        *("execution_expires_after", "safety_identifier", "metadata"),
    )
    assert {name: task[name] for name in shown} == {name: EVERYTHING[name] for name in shown}


def test_explicit_nulls_are_as_if_they_were_not_there(caller: Caller) -> None:
    nulls: dict[str, Any] = dict.fromkeys(set(EVERYTHING) - {"model", "content"} | {"frames", "callback_url"})
    task = caller.post({"model": "sandbox/stuck", "content": TEXT, **nulls}).json()
    plain = caller.create()
    changing = {"id", "created_at", "updated_at", "expires_at", "seed", "queue_position"}
    assert {name: task[name] for name in set(task) - changing} == {
        name: plain[name] for name in set(plain) - changing
    }


def test_unknown_fields_are_accepted_and_named(caller: Caller) -> None:
    task = caller.create(flavour="salt", nested={"a": [1]}, watermark=True)
    assert sorted(task["unsupported_params"]) == ["flavour", "nested"]


def test_parameters_that_the_model_lacks_are_dropped_and_named(caller: Caller) -> None:
    task = caller.create(
        "mesh/diorama-1", negative_prompt="rain", guidance_scale=3, execution_expires_after=60
    )
    assert sorted(task["unsupported_params"]) == ["guidance_scale", "negative_prompt"]
    caller.cancel(task)


def test_a_callback_url_is_served(caller: Caller) -> None:
    assert caller.create(callback_url="https://a.example/hook")["unsupported_params"] is None


@pytest.mark.parametrize("model", ["no/such", "Sandbox/stuck", "sandbox/stuck ", "stuck", "../models"])
def test_an_unknown_model_is_404(caller: Caller, model: str) -> None:
    found = error(caller.post({"model": model, "content": TEXT}), 404, "model_not_found")
    assert model in found["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 7),
        ("model", ""),
        ("model", None),
        ("model", "m" * 201),
        ("content", None),
        ("content", {}),
        ("content", "a lake"),
        ("content", []),
        ("content", [[]]),
        ("content", [None]),
        ("duration", "5"),
        ("duration", 5.5),
        ("duration", True),
        ("duration", 0),
        ("duration", -2),
        ("duration", 10**30),
        ("frames", 0),
        ("frames", [24]),
        ("resolution", 720),
        ("resolution", "8k"),
        ("ratio", "2:1"),
        ("seed", -2),
        ("seed", 2**32),
        ("seed", "7"),
        ("generate_audio", "yes"),
        ("generate_audio", 1),
        ("draft", {}),
        ("callback_url", "ftp://a.example/"),
        ("callback_url", "/hook"),
        ("callback_url", "https://"),
        ("callback_url", "https://user:secret@a.example/"),
        ("callback_url", "https://a.example/" + "x" * 2048),
        ("service_tier", "gold"),
        ("execution_expires_after", 59),
        ("execution_expires_after", 259_201),
        ("priority", -1),
        ("priority", 10),
        ("safety_identifier", "u" * 257),
        ("negative_prompt", ["rain"]),
        ("guidance_scale", "high"),
        ("guidance_scale", -1),
        ("num_inference_steps", 1.5),
        ("output_format", 4),
        ("metadata", []),
        ("metadata", {"k" * 65: "v"}),
        ("metadata", {"k": "v" * 513}),
        ("metadata", {"": "v"}),
        ("metadata", {"k": 1}),
        ("metadata", {"k": None}),
        ("metadata", {"k": "a\x00b"}),
        ("metadata", {"a\x00b": "v"}),
        ("metadata", {str(number): "v" for number in range(17)}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_value_that_cannot_be_is_422_and_names_its_field(caller: Caller, field: str, value: Any) -> None:
    found = details(caller, {"model": "sandbox/stuck", "content": TEXT, field: value})
    assert found[0]["loc"][:2] == ["body", field]


@pytest.mark.parametrize("field", ["model", "content"])
def test_a_missing_required_field_is_422_and_named(caller: Caller, field: str) -> None:
    body = {"model": "sandbox/stuck", "content": TEXT}
    del body[field]
    (found,) = details(caller, body)
    assert (found["type"], found["loc"]) == ("missing", ["body", field])


def test_duration_and_frames_exclude_each_other(caller: Caller) -> None:
    (found,) = details(caller, {"model": "sandbox/stuck", "content": TEXT, "duration": 5, "frames": 24})
    assert "duration" in found["msg"]
    assert "frames" in found["msg"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"duration": 61}, "duration"),
        ({"frames": 1441}, "frames"),
        ({"resolution": "8k"}, "resolution"),
        ({"ratio": "2:1"}, "ratio"),
    ],
)
def test_a_value_outside_the_models_card_is_422_and_the_message_names_what_is_allowed(
    caller: Caller, fields: dict[str, Any], name: str
) -> None:
    (found,) = details(caller, {"model": "sandbox/stuck", "content": TEXT, **fields})
    assert found["loc"] == ["body", name]
    allowed = {"duration": "60", "frames": "1440", "resolution": "1080p", "ratio": "16:9"}[name]
    assert allowed in found["msg"]


def test_the_named_models_card_holds_for_a_simulated_task_too(caller: Caller) -> None:
    body = {"model": "byteplus/dreamina-seedance-2-0", "content": TEXT, "duration": 3600}
    (found,) = details(caller, body)
    assert found["loc"] == ["body", "duration"]


def test_a_simulated_task_says_so_in_its_body_and_its_headers(caller: Caller) -> None:
    answer = caller.post({"model": "byteplus/dreamina-seedance-2-0", "content": TEXT, "priority": 0})
    task = answer.json()
    for seen in (answer, caller.get(f"{GENERATIONS}/{task['id']}"), caller.cancel(task)):
        assert seen.headers["x-mesh-routing-model"] == "mesh/diorama-1"
        assert seen.headers["x-mesh-routing-fallback"] == "true"
        assert seen.json()["model"] == "mesh/diorama-1"
    plain = caller.get(f"{GENERATIONS}/{caller.create()['id']}")
    assert "x-mesh-routing-model" not in plain.headers


def test_a_seed_left_out_is_chosen_and_reported_and_a_given_one_is_kept(caller: Caller) -> None:
    assert 0 <= caller.create()["seed"] < 2**32
    assert 0 <= caller.create(seed=-1)["seed"] < 2**32
    assert caller.create(seed=0)["seed"] == 0


def test_the_content_limit_is_64_items(caller: Caller) -> None:
    item = {"type": "text", "text": "x"}
    assert caller.create(content=[item] * 64)["status"] == "pending"
    (found,) = details(caller, {"model": "sandbox/stuck", "content": [item] * 65})
    assert found["loc"] == ["body", "content"]


def test_a_text_of_any_script_survives(caller: Caller) -> None:
    text = '山间湖泊 🌊 بحيرة 湖 " \\ \n \t'
    task = caller.create(metadata={"text": text}, content=[{"type": "text", "text": text}])
    assert caller.task(task["id"])["metadata"] == {"text": text}


def test_several_faults_of_the_content_are_named_at_once(caller: Caller) -> None:
    content = [
        {"type": "text"},
        {"type": "hologram"},
        {"type": "image_url", "image_url": "file:///etc/passwd"},
    ]
    found = details(caller, {"model": "sandbox/stuck", "content": content})
    assert [detail["loc"][2] for detail in found] == [0, 1, 2]


def test_nothing_is_stored_of_a_request_that_was_refused(caller: Caller) -> None:
    before = caller.get(GENERATIONS).json()["total"]
    details(caller, {"model": "sandbox/stuck", "content": TEXT, "duration": 61})
    error(caller.post({"model": "no/such", "content": TEXT}), 404, "model_not_found")
    assert caller.get(GENERATIONS).json()["total"] == before
