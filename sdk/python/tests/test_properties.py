"""What must hold for anything a server, or what stands before it, may send."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from meshapi import APIStatusError, VideoGenerationParams, VideoTaskList, VideoTaskResponse
from meshapi._error_decoding import error_from
from meshapi._exchange import Answer
from meshapi._paths import generation
from meshapi._sse import EventParser
from meshapi.errors import InvalidIdError

ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
ITEMS = st.lists(
    JSON | st.fixed_dictionaries({}, optional={"type": JSON, "url": JSON, "video_url": JSON}), max_size=3
)
CONTENT = (
    JSON
    | ITEMS
    | st.fixed_dictionaries({}, optional={"video_url": JSON, "last_frame_url": JSON, "x_url": JSON})
)
TASKS = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(VideoTaskResponse.model_fields, JSON), "content": CONTENT, "new": JSON}
)
ERRORS = st.fixed_dictionaries(
    {},
    optional={
        "error": JSON
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("code", "message", "details", "retry_after_seconds"), JSON)
        ),
        "detail": JSON
        | st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("type", "loc", "msg"), JSON))),
        "request_id": JSON,
    },
)


@given(TASKS)
def test_no_object_whatever_makes_a_task_raise(body):
    task = VideoTaskResponse.model_validate_json(json.dumps(body))
    assert isinstance(task.id, str)
    assert isinstance(task.status, str)
    for item in task.content or []:
        assert isinstance(item.url, str)
    assert VideoTaskResponse.model_validate_json(task.model_dump_json()).status == task.status


@given(
    st.fixed_dictionaries(
        {}, optional={"data": JSON | st.lists(JSON | TASKS, max_size=3), "total": JSON, "has_more": JSON}
    )
)
def test_no_object_whatever_makes_a_page_raise(body):
    page = VideoTaskList.model_validate_json(json.dumps(body))
    assert all(isinstance(task, VideoTaskResponse) for task in page.data)


@given(
    st.integers(400, 599),
    st.binary(max_size=60) | (JSON | ERRORS).map(lambda body: json.dumps(body).encode()),
    st.text(max_size=20),
)
def test_no_body_whatever_loses_the_status_of_an_error(status, body, retry_after):
    error = error_from(Answer(status, {"retry-after": retry_after}, body), 0.0)
    assert isinstance(error, APIStatusError)
    assert error.status == status
    assert str(error)
    assert error.error_code
    assert error.retry_after_seconds is None or error.retry_after_seconds >= 0


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_event_streams_are_the_same_however_they_are_cut(pieces):
    whole, cut = EventParser(), EventParser()
    assert whole.feed(b"".join(pieces)) == [event for piece in pieces for event in cut.feed(piece)]
    assert (whole.last_event_id, whole.retry_milliseconds) == (cut.last_event_id, cut.retry_milliseconds)


@given(st.text(max_size=12) | st.text(st.characters(categories=["Cs"]), max_size=2))
def test_no_id_whatever_leaves_its_segment(task_id):
    try:
        path = generation(task_id)
    except InvalidIdError:
        return
    assert re.fullmatch(r"/v1/video/generations/([A-Za-z0-9._~-]|%[0-9A-F]{2})+", path)
    assert path.rsplit("/", 1)[1] not in {".", ".."}


@given(
    st.dictionaries(
        st.sampled_from(["style", "new_field", "max_cost"]),
        JSON.filter(lambda value: value is not None),
        max_size=2,
    )
)
def test_fields_newer_than_this_package_are_sent(fields):
    wire = VideoGenerationParams(model="m", content=[], **fields).to_wire()
    assert set(fields) <= set(wire)
