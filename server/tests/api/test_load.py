"""Many callers at once: no answer is a fault, and nothing is lost or mixed up."""

import random
from concurrent.futures import ThreadPoolExecutor

from ..serving import GENERATIONS, Caller, ServerProcess, keys

CALLERS, ROUNDS = 8, 12


def test_creates_reads_lists_and_cancels_at_once_are_all_answered(server: ServerProcess) -> None:
    def work(number: int) -> set[str]:
        chance = random.Random(number)
        caller = Caller(server.base_url, server.api_key)
        made = set()
        for round_ in range(ROUNDS):
            model = chance.choice(["sandbox/stuck", "sandbox/fails", "sandbox/moderated"])
            task = caller.create(model, metadata={"by": str(number), "round": str(round_)})
            made.add(task["id"])
            mine = {"metadata[by]": str(number), "limit": 200}
            listed = caller.get(GENERATIONS, params=mine).json()
            assert {each["id"] for each in listed["data"]} == made
            assert caller.cancel(task).status_code in {200, 409}
            assert caller.ended(task)["status"] == "failed"
        return made

    with ThreadPoolExecutor(CALLERS + 1) as pool:
        key = pool.submit(keys, server.data, "create", "--name", "meanwhile", "--json")
        everything = list(pool.map(work, range(CALLERS)))
    assert len(set().union(*everything)) == CALLERS * ROUNDS
    assert key.result().returncode == 0, key.result().stderr
    assert "Traceback" not in server.stderr


def test_many_watchers_of_many_tasks_all_see_the_end(server: ServerProcess, caller: Caller) -> None:
    tasks = [caller.create() for _ in range(10)]

    def watch(number: int) -> bool:
        own = Caller(server.base_url, server.api_key)
        with own.http.stream("GET", f"{GENERATIONS}/{tasks[number % 10]['id']}/events") as answer:
            return '"code":"cancelled"' in answer.read().decode()

    with ThreadPoolExecutor(30) as pool:
        watching = [pool.submit(watch, number) for number in range(30)]
        for task in tasks:
            caller.stop(task)
        assert all(each.result(30) for each in watching)
