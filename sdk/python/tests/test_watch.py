"""The waiting decision, without a socket and without waiting."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from sdk_support.ambient import FakeAmbient
from sdk_support.vectors import cases

from meshapi._calls import Calls
from meshapi._exchange import Answer, Close, Deliver, Failure, Open, Read, Send, Sleep
from meshapi._service import Service
from meshapi._settings import Settings
from meshapi._watch import WaitPlan, Watch
from meshapi.errors import (
    AuthenticationError,
    ConfigurationError,
    MeshAPIError,
    NotFoundError,
    WaitTimeoutError,
)

STREAM = {"content-type": "text/event-stream"}


def _task(status, progress=None, **more):
    return json.dumps({"id": "t", "status": status, "progress": progress, **more}).encode()


def _event(number, body):
    return b"id: %d\nevent: task\ndata: %s\n\n" % (number, body)


class Play:
    """Runs a watch against a script of outcomes; each is an outcome or (outcome, seconds it took)."""

    def __init__(self, *outcomes, plan=None, service=None, random=0.0):
        self.ambient = FakeAmbient(random=random)
        self.service = service or Service()
        calls = Calls(Settings("https://api.example", "rsk_test"), self.service, self.ambient.value())
        self.steps = Watch(calls, "t", plan or WaitPlan(), {}).steps()
        self.outcomes = list(outcomes)
        self.asked = []
        self.delivered = []

    def run(self):
        told = None
        while True:
            try:
                command = self.steps.send(told)
            except StopIteration:
                assert not self.outcomes
                return self
            told = None
            if isinstance(command, Deliver):
                self.delivered.append((command.value.status, command.value.progress))
            elif isinstance(command, Sleep):
                self.asked.append(("sleep", round(command.seconds, 3)))
                self.ambient.pass_by(command.seconds)
            elif isinstance(command, Close):
                self.asked.append("close")
            else:
                self._note(command)
                told = self.outcomes.pop(0)
                if isinstance(told, tuple):
                    told, took = told
                    self.ambient.pass_by(took)

    def _note(self, command):
        if isinstance(command, Read):
            self.asked.append("read")
            return
        assert isinstance(command, Open | Send)
        verb = "open" if isinstance(command, Open) else "get"
        self.asked.append(
            (verb, command.request.url.removeprefix("https://api.example/v1/video/generations/t"))
        )


def _requests(play):
    return [each for each in play.asked if isinstance(each, tuple) and each[0] != "sleep"]


def _piece(piece):
    if "event" in piece:
        return b"id: %s\nevent: task\ndata: %s\n\n" % (
            piece["id"].encode(),
            json.dumps(piece["event"]).encode(),
        )
    return piece["text"].encode() if "text" in piece else b": %s\n\n" % piece["comment"].encode()


class Schedule:
    """Plays a case of the polling-schedule suite."""

    def __init__(self, given):
        self.ambient = FakeAmbient(random=given.get("random", 0.0))
        knows = given["knows"]
        self.service = Service(has_events=knows["events"], has_long_poll=knows["long_poll"])
        calls = Calls(Settings("https://api.example", "rsk_test"), self.service, self.ambient.value())
        self.steps = Watch(calls, "t", WaitPlan(**given["plan"]), {}).steps()
        self.outcomes = list(given["outcomes"])
        self.pieces = []
        self.asked, self.told = [], []

    def run(self):
        """How the wait ended."""
        outcome = None
        while True:
            try:
                command = self.steps.send(outcome)
            except StopIteration:
                return "ended"
            except WaitTimeoutError:
                return "deadline"
            except MeshAPIError as error:
                return {"status": error.status}
            outcome = self._perform(command)

    def _perform(self, command):
        if isinstance(command, Deliver):
            self.told.append(command.value.status)
        elif isinstance(command, Sleep):
            self.asked.append({"wait": pytest.approx(command.seconds)})
            self.ambient.pass_by(command.seconds)
        elif isinstance(command, Open):
            self.asked.append({"stream": command.request.headers.get("Last-Event-ID")})
            return self._met()
        elif isinstance(command, Send):
            wait = dict(parse_qsl(urlsplit(command.request.url).query)).get("wait", "0")
            self.asked.append({"look": int(wait)})
            return self._met()
        elif isinstance(command, Read):
            return self._read()
        return None

    def _met(self):
        given = self.outcomes.pop(0)
        self.ambient.pass_by(0 if "stream" in given else given.get("took", 0))
        if "failure" in given:
            return Failure(given["failure"], OSError("from the vector"))
        headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
        if "stream" in given:
            end = {"ends": given["ends"], "took": given.get("took", 0)}
            self.pieces = [*given["stream"], end]
        body = json.dumps(given["task"]) if "task" in given else given.get("body", "")
        return Answer(given["status"], headers, body.encode())

    def _read(self):
        piece = self.pieces.pop(0)
        self.ambient.pass_by(piece.get("took", 0))
        if "ends" not in piece:
            return _piece(piece)
        return b"" if piece["ends"] == "end" else Failure(piece["ends"], OSError("from the vector"))


@pytest.mark.parametrize(("given", "want"), cases("polling-schedule"))
def test_polling_schedule(given, want):
    play = Schedule(given)
    assert (play.run(), play.asked, play.told) == (want["result"], want["steps"], want["told"])
    assert play.outcomes == []
    assert play.ambient.elapsed == pytest.approx(want["elapsed"])
    learnt = {"events": play.service.has_events, "long_poll": play.service.has_long_poll}
    assert learnt == want["learnt"]


def test_events_are_followed_to_the_terminal_one():
    play = Play(
        Answer(200, STREAM),
        b": hello\n\n" + _event(1, _task("pending")),
        _event(2, _task("running", 0.5))[:30],
        _event(2, _task("running", 0.5))[30:] + _event(3, _task("succeeded", 1)),
    ).run()
    assert play.delivered == [("pending", None), ("running", 0.5), ("succeeded", 1.0)]
    assert play.asked == [("open", "/events"), "read", "read", "read", "close"]


def test_a_broken_stream_is_resumed_after_the_last_event():
    play = Play(
        Answer(200, STREAM),
        _event(7, _task("running", 0.5)),
        Failure("maybe_sent", OSError("reset")),
        Answer(200, STREAM),
        _event(8, _task("succeeded", 1)),
    )
    opened = []
    note = play._note

    def remember(command):
        if isinstance(command, Open):
            opened.append(command.request.headers.get("Last-Event-ID"))
        note(command)

    play._note = remember
    play.run()
    assert opened == [None, "7"]
    assert play.delivered == [("running", 0.5), ("succeeded", 1.0)]


def test_a_server_without_events_is_long_polled_and_not_asked_for_events_again():
    play = Play(
        Answer(404, {}),
        (Answer(200, {}, _task("running", 0.1)), 10),
        (Answer(200, {}, _task("succeeded", 1)), 4),
    ).run()
    assert _requests(play) == [("open", "/events"), ("get", "?wait=10"), ("get", "?wait=10")]
    assert not [each for each in play.asked if each[0] == "sleep"]
    assert play.service.has_events is False
    assert play.service.has_long_poll is True


def test_a_server_without_long_poll_is_polled_with_growing_pauses():
    answers = [Answer(200, {}, _task("queued")) for _ in range(6)]
    play = Play(*answers, Answer(200, {}, _task("expired")), service=Service(has_events=False)).run()
    assert _requests(play) == [("get", "?wait=10")] + [("get", "")] * 6
    assert [each[1] for each in play.asked if each[0] == "sleep"] == [2.0, 3.0, 4.5, 6.75, 10.0, 10.0]
    assert play.delivered == [("queued", None), ("expired", None)]


def test_an_unknown_status_is_waited_through():
    play = Play(
        Answer(200, {}, _task("polishing")),
        Answer(200, {}, _task("succeeded")),
        service=Service(has_events=False, has_long_poll=False),
    ).run()
    assert play.delivered == [("polishing", None), ("succeeded", None)]


def test_an_unknown_task_ends_the_wait_and_says_nothing_about_events():
    play = Play(Answer(404, {}), Answer(404, {}))
    with pytest.raises(NotFoundError):
        play.run()
    assert play.service.has_events is True


def test_a_refused_key_ends_the_wait():
    with pytest.raises(AuthenticationError):
        Play(Answer(401, {})).run()


def test_transient_faults_are_missed_looks():
    play = Play(
        Answer(503, {}),
        Failure("not_sent", OSError()),
        Answer(500, {}),
        Answer(502, {}),
        Failure("timed_out", OSError()),
        Answer(200, {}, b"<html>"),
        Answer(200, {}, _task("succeeded")),
    ).run()
    assert play.delivered == [("succeeded", None)]


def test_a_server_that_says_when_to_come_back_is_not_asked_earlier():
    play = Play(
        Answer(429, {"retry-after": "30"}),
        Answer(200, {}, _task("succeeded")),
        service=Service(has_events=False, has_long_poll=False),
        random=1.0,
    ).run()
    assert play.asked[1] == ("sleep", 30.5)


def test_a_stream_that_stays_silent_is_given_up_for_polling():
    play = Play(
        Answer(200, STREAM),
        (Failure("timed_out", OSError()), 20),
        Answer(200, {}, _task("succeeded")),
    ).run()
    assert _requests(play) == [("open", "/events"), ("get", "?wait=10")]
    assert play.service.has_events is False


def test_a_stream_that_keeps_breaking_without_news_is_given_up_for_this_wait_only():
    broken = [Answer(200, STREAM), b": hi\n\n", Failure("maybe_sent", OSError())]
    play = Play(*broken, *broken, *broken, Answer(200, {}, _task("succeeded"))).run()
    assert _requests(play) == [("open", "/events")] * 3 + [("get", "?wait=10")]
    assert play.service.has_events is True


def test_a_page_instead_of_a_stream_is_not_read():
    play = Play(Answer(200, {"content-type": "text/html"}), Answer(200, {}, _task("succeeded"))).run()
    assert play.asked[:2] == [("open", "/events"), "close"]


def test_the_wait_ends_at_its_deadline_with_the_id_and_the_task_last_seen():
    running = Answer(200, {}, _task("running", 0.3))
    play = Play(
        *[running] * 5, plan=WaitPlan(max_wait=12), service=Service(has_events=False, has_long_poll=False)
    )
    with pytest.raises(WaitTimeoutError, match="goes on") as caught:
        play.run()
    assert (caught.value.task_id, caught.value.task.status) == ("t", "running")
    assert play.ambient.elapsed == 12.0


def test_a_wait_of_zero_seconds_looks_once():
    play = Play(Answer(200, {}, _task("running")), plan=WaitPlan(max_wait=0))
    with pytest.raises(WaitTimeoutError):
        play.run()
    assert _requests(play) == [("get", "")]


def test_the_last_look_is_at_the_deadline():
    play = Play(
        Answer(200, {}, _task("running")),
        Answer(200, {}, _task("succeeded")),
        plan=WaitPlan(max_wait=1.5),
        service=Service(has_events=False, has_long_poll=False),
    ).run()
    assert play.ambient.elapsed == 1.5


def test_near_the_deadline_a_stream_is_left_for_polls_that_end_on_time():
    play = Play(
        Answer(200, STREAM),
        _event(1, _task("running", 0.1)),
        (b": keep-alive\n\n", 15),
        (b": keep-alive\n\n", 15),
        (Answer(200, {}, _task("running", 0.2)), 10),
        Answer(200, {}, _task("succeeded")),
        plan=WaitPlan(max_wait=41),
    ).run()
    assert _requests(play) == [("open", "/events"), ("get", "?wait=10"), ("get", "?wait=1")]


def test_the_last_fault_is_the_cause_of_a_wait_that_ran_out():
    play = Play(
        *[Failure("not_sent", OSError("refused"))] * 4,
        plan=WaitPlan(max_wait=5),
        service=Service(has_events=False, has_long_poll=False),
    )
    play.outcomes = [Failure("not_sent", OSError("refused"))] * 3
    with pytest.raises(WaitTimeoutError) as caught:
        play.run()
    assert "refused" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "plan", [{"max_wait": -1}, {"max_wait": float("inf")}, {"poll_interval": 0}, {"max_wait": "5"}]
)
def test_a_wait_without_a_sensible_bound_is_refused(plan):
    with pytest.raises(ConfigurationError, match="finite number of seconds"):
        WaitPlan(**plan)
