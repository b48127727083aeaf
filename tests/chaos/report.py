"""The table at the end of a run."""

from collections.abc import Iterator

from .run import Outcome, Wish


def table(wish: Wish, outcome: Outcome) -> str:
    """Figures, acts, ends and violations, as lines of text."""
    return "\n".join(_lines(wish, outcome))


def _lines(wish: Wish, outcome: Outcome) -> Iterator[str]:
    plan = wish.plan
    processes = "one process" if wish.database == "sqlite" else f"{plan.apis} API and {plan.workers} workers"
    yield f"Chaos on {wish.database} ({processes}), seed {wish.seed}, lease {plan.lease:g} s"
    for name, figure in outcome.figures.items():
        shown = ", ".join(map(str, figure)) if isinstance(figure, tuple) else str(figure)
        yield f"  {name:<52} {shown}"
    yield "  done to it:"
    for act, count in sorted(outcome.acts.items()):
        yield f"    {act:<50} {count}"
    yield "  how the tasks ended:"
    for end, count in outcome.ends.most_common():
        yield f"    {end:<50} {count}"
    yield f"  violations: {len(outcome.violations)}"
    for violation in outcome.violations:
        yield f"    {violation}"
