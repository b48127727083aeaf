"""Parameter values against a card and the rules in force: which are allowed, and how a refusal reads."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from meshapi_server.tasks.spec import Spec
from meshapi_server.upstreams.card import MODEL_DECIDES, ModelCard
from meshapi_server.upstreams.limits import (
    ADAPTIVE,
    lines,
    nearest_number,
    nearest_ratio,
    nearest_resolution,
    shape,
    spell_numbers,
)
from meshapi_server.upstreams.refusal import Detail
from meshapi_server.upstreams.rules import Rule

WordField = Literal["resolutions", "ratios", "service_tiers"]
_NOT_ALLOWED = "value_not_allowed"


def allowed_words(field: WordField, card: ModelCard, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """The values of a limit that the card and every rule in force allow, in the card's order."""
    narrower = [named for rule in rules if (named := _words_of(rule, field))]
    if not narrower:
        return _words_of(card, field)
    return tuple(value for value in _words_of(card, field) if all(value in named for named in narrower))


def allowed_durations(card: ModelCard, rules: tuple[Rule, ...]) -> tuple[int, ...]:
    """The whole seconds that the card and every rule in force allow, ascending as on the card."""
    narrower = [rule.durations for rule in rules if rule.durations is not None]
    if not narrower:
        return tuple(card.durations or ())
    return tuple(value for value in card.durations or () if all(value in named for named in narrower))


def value_problems(spec: Spec, card: ModelCard, rules: tuple[Rule, ...]) -> Iterator[Detail]:
    """One detail for each value that the model cannot render."""
    yield from _duration_problem(spec, card, rules)
    yield from _frames_problem(spec, card)
    yield from _seed_problem(spec, card)
    yield from _resolution_problem(spec, card, rules)
    yield from _ratio_problem(spec, card, rules)
    tiers = allowed_words("service_tiers", card, rules)
    yield from _word_problem("service_tier", spec.service_tier, tiers, card, _because(rules, "service_tiers"))
    yield from _word_problem("output_format", spec.output_format, card.output_formats, card)
    yield from _word_problem("omni_reference_task_type", spec.omni_reference_task_type, card.task_types, card)


def _duration_problem(spec: Spec, card: ModelCard, rules: tuple[Rule, ...]) -> Iterator[Detail]:
    value = spec.duration
    if value is None or (value == MODEL_DECIDES and card.model_decides_duration):
        return
    if card.durations is None:
        if value < 1 or not card.leaves_open("durations"):
            whole = "a whole number of seconds from 1" if card.leaves_open("durations") else ""
            choices = [choice for choice in (whole, _model_decides(card)) if choice]
            yield _refused("duration", value, " or ".join(choices), None, card)
        return
    if value in card.durations and not any(rule.durations for rule in rules):
        return  # by far the most requests; the rest is only needed to explain
    allowed = allowed_durations(card, rules) or tuple(card.durations)
    if value not in allowed:
        spelled = " or ".join(filter(None, (spell_numbers(allowed), _model_decides(card))))
        preferred = card.defaults.duration if value == MODEL_DECIDES else None
        nearest = preferred if preferred in allowed else nearest_number(value, allowed)
        yield _refused("duration", value, spelled, str(nearest), card, _because(rules, "durations"))


def _model_decides(card: ModelCard) -> str:
    return f"{MODEL_DECIDES} (the model decides)" if card.model_decides_duration else ""


def _frames_problem(spec: Spec, card: ModelCard) -> Iterator[Detail]:
    value = spec.frames
    if value is None:
        return
    if card.frames is None:
        if value < 1:
            yield _refused("frames", value, "a whole number from 1", None, card)
    elif value not in card.frames:
        nearest = nearest_number(value, card.frames)
        yield _refused("frames", value, spell_numbers(card.frames), str(nearest), card)


def _seed_problem(spec: Spec, card: ModelCard) -> Iterator[Detail]:
    if spec.seed is not None and card.max_seed is not None and spec.seed > card.max_seed:
        allowed = f"-1 (random) and 0 to {card.max_seed}"
        yield _refused("seed", spec.seed, allowed, str(card.max_seed), card)


def _resolution_problem(spec: Spec, card: ModelCard, rules: tuple[Rule, ...]) -> Iterator[Detail]:
    value = spec.resolution
    if value is not None and card.leaves_open("resolutions"):
        if lines(value) is None:
            yield _refused("resolution", value, "names such as 480p, 720p, 1080p, 2k, 4k", None, card)
        return
    allowed = allowed_words("resolutions", card, rules)
    because = _because(rules, "resolutions")
    yield from _word_problem("resolution", value, allowed, card, because, nearest_resolution)


def _ratio_problem(spec: Spec, card: ModelCard, rules: tuple[Rule, ...]) -> Iterator[Detail]:
    value = spec.ratio
    if value is not None and card.leaves_open("ratios"):
        if value != ADAPTIVE and shape(value) is None:
            yield _refused("ratio", value, f"width:height, such as 16:9, or {ADAPTIVE}", None, card)
        return
    allowed = allowed_words("ratios", card, rules)
    yield from _word_problem("ratio", value, allowed, card, _because(rules, "ratios"), nearest_ratio)


def _word_problem(
    field: str,
    value: str | None,
    allowed: tuple[str, ...],
    card: ModelCard,
    because: str = "",
    nearest: Callable[[str, Sequence[str]], str | None] | None = None,
) -> Iterator[Detail]:
    if value is not None and value not in allowed:
        closest = nearest(value, allowed) if nearest else None
        yield _refused(field, value, ", ".join(allowed), closest, card, because)


def _refused(
    field: str, value: int | str, allowed: str, nearest: str | None, card: ModelCard, because: str = ""
) -> Detail:
    shown = repr(value) if isinstance(value, str) else value
    reason = f" ({because})" if because else ""
    hint = f"; nearest is {nearest}" if nearest is not None else ""
    message = f"{field} {shown} is not possible with {card.id}; allowed: {allowed}{reason}{hint}"
    return Detail(_NOT_ALLOWED, ("body", field), message)


def _because(
    rules: tuple[Rule, ...], field: Literal["durations", "resolutions", "ratios", "service_tiers"]
) -> str:
    return "; ".join(rule.because for rule in rules if getattr(rule, field))


def _words_of(owner: ModelCard | Rule, field: WordField) -> tuple[str, ...]:
    if field == "resolutions":
        return owner.resolutions
    return owner.ratios if field == "ratios" else owner.service_tiers
