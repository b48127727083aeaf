"""Whatever happens to a task in whatever order: its money is somewhere, and never held after its end."""

from collections import Counter
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from meshapi_server.accounts.ledger import EVER, Bucket, Changes, Sums, lines, position
from meshapi_server.tasks.life import Step, advance
from meshapi_server.tasks.price import Tariff, nano, read_nano
from meshapi_server.tasks.states import Event, State
from meshapi_server.tasks.task import Charged, Facts, Outcome, Route, Schedule, StoredFile, Task, TaskError

from .. import samples
from ..samples import NOW

TARIFFS = st.one_of(
    st.none(),
    st.builds(Tariff, most=st.sampled_from((0, 1, 70_000_000, 2_500_000_000))),
    st.builds(
        Tariff, most=st.just(90_000_000), per_million_tokens=st.just(4_300_000_000), besides=st.just(5)
    ),
)
CHARGED = st.sampled_from((None, "yes", "no", "unknown"))
COSTS = st.sampled_from((None, "0", "0.07", "2.5", "0.000000001", "much"))
VIDEO = StoredFile(name="video.mp4", media_type="video/mp4", size=1, sha256="ab" * 32)


class Money(RuleBasedStateMachine):
    """Throws events at one task, keeps its ledger as the store would, and adds it all up again."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: Counter[tuple[Bucket, str]] = Counter()
        self.sums: dict[Bucket, Sums] = {}
        self.spending: Counter[str] = Counter()
        self.now = NOW

    @initialize(tariffs=st.lists(TARIFFS, min_size=1, max_size=3))
    def accept(self, tariffs: list[Tariff | None]) -> None:
        routes = tuple(
            Route(upstream=f"up-{number}", model=f"maker/{number}", upstream_model="m", tariff=tariff)
            for number, tariff in enumerate(tariffs)
        )
        self.task: Task = samples.task(
            id="task_1", request_id="r", key_id="key_1", routes=routes, upstream="up-0", model="maker/0"
        )
        self.schedule: Schedule = samples.schedule(upstream="up-0")
        self.write(None, self.task, self.schedule)

    @rule(
        event=st.sampled_from(Event),
        charged=CHARGED,
        cost=COSTS,
        tokens=st.sampled_from((None, 1, 10_000, 10_000_000)),
        minutes=st.integers(0, 3_000),
    )
    def happen(
        self, event: Event, charged: Charged | None, cost: str | None, tokens: int | None, minutes: int
    ) -> None:
        self.now += minutes * 60_000
        self.step(event, charged, cost, tokens)

    def step(
        self, event: Event, charged: Charged | None = None, cost: str | None = None, tokens: int | None = None
    ) -> None:
        facts = Facts(cost_usd=cost, total_tokens=tokens)
        outcome = None
        if event is Event.STORED:
            outcome = Outcome(facts=facts, video=VIDEO)
        elif event is Event.FAILED:
            error = TaskError(code="upstream_error", message="x", charged=charged)
            outcome = Outcome(facts=facts, error=error)
        step = Step(event=event, worker="w", lease_until=self.now + 1, outcome=outcome)
        before = (self.task, self.schedule)
        moved = advance(*before, step, self.now)
        if moved is not None:
            self.task, self.schedule = moved.task, moved.schedule
            self.write(before, self.task, self.schedule)

    def write(self, before: tuple[Task, Schedule] | None, task: Task, schedule: Schedule) -> None:
        was = None if before is None else position(*before)
        after = position(task, schedule)
        if after is None or was == after:
            return
        for line in lines(was, after):
            assert line.amount >= 0
            assert line.source != line.target
            self.accounts[line.bucket, line.source] -= line.amount
            self.accounts[line.bucket, line.target] += line.amount
        changes = Changes()
        changes.add(was, after)
        for bucket, change in changes.by_bucket.items():
            sums = self.sums.get(bucket, Sums())
            self.sums[bucket] = Sums(
                **{name: getattr(sums, name) + getattr(change, name) for name in Sums.__struct_fields__}
            )
        for (_, day), (held, spent) in changes.by_key.items():
            if day == EVER:
                self.spending.update({"held": held, "spent": spent})

    def account(self, name: str) -> int:
        return sum(amount for (_, account), amount in self.accounts.items() if account == name)

    @invariant()
    def all_accounts_sum_to_nothing_and_nothing_but_the_keys_own_is_below_it(self) -> None:
        assert sum(self.accounts.values()) == 0
        assert all(amount >= 0 for (_, name), amount in self.accounts.items() if name != "key")

    @invariant()
    def the_sums_are_what_the_lines_add_up_to(self) -> None:
        for bucket in {bucket for bucket, _ in self.accounts} | self.sums.keys():
            sums = self.sums.get(bucket, Sums())
            for name in ("held", "spent", "unknown"):
                assert getattr(sums, name) == self.accounts[bucket, name]
        assert self.spending["held"] == self.account("held")
        assert self.spending["spent"] == self.account("spent") + self.account("unknown")
        assert sum(sums.tasks for sums in self.sums.values()) == (1 if self.task.metered else 0)

    @invariant()
    def only_a_task_that_goes_on_has_anything_held(self) -> None:
        if self.task.ended:
            assert self.account("held") == 0

    @invariant()
    def an_end_says_what_it_cost_or_that_it_is_not_known(self) -> None:
        if not self.task.ended:
            return
        error, cost = self.task.outcome.error, self.task.outcome.facts.cost_usd
        charged = "yes" if error is None else error.charged
        assert charged in {"yes", "no", "unknown"}
        doubtful = sum(sums.doubtful for sums in self.sums.values())
        if cost is not None:
            assert self.account("spent") == read_nano(cost)
            assert (self.account("unknown"), doubtful) == (0, 0)
        else:
            assert (self.account("spent"), doubtful) == (0, 1)
        if charged == "no":
            assert cost == "0"
        if charged == "unknown":
            assert cost is None

    def teardown(self) -> None:
        """Every path ends, and no path leaves a hold."""
        if not hasattr(self, "task"):
            return
        for event in (Event.LEASE_LOST, Event.EXPIRED, Event.FAILED, Event.LET_GO):
            self.step(event)
        assert self.schedule.state is State.DONE
        assert self.task.ended
        assert self.account("held") == 0


TestMoney = Money.TestCase


def test_a_sum_that_an_upstream_misspells_is_no_sum() -> None:
    assert read_nano("much") is None
    assert read_nano("-1") is None
    assert read_nano("NaN") is None
    assert read_nano("1e999999") is None
    assert read_nano("0.0000000001") == nano(Decimal("0.000000001")) == 1
