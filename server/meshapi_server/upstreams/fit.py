"""A request against a model's card: what is dropped, what is filled in, what is refused.

Pure: the same request and card give the same answer. The rules are those of wire.md sections 2 and 3:
a *parameter* the model lacks is dropped and named; a *value* outside the card is refused, and the message
names the allowed values and the nearest one; parameters that belong to the platform are never touched.
"""

from collections.abc import Callable

from msgspec import Struct, structs

from meshapi_server.tasks.spec import Spec
from meshapi_server.upstreams.card import ModelCard
from meshapi_server.upstreams.inputs import Inputs, read_inputs
from meshapi_server.upstreams.limits import nearest_number
from meshapi_server.upstreams.refusal import Detail, OutsideCard
from meshapi_server.upstreams.rules import Rule, Situation
from meshapi_server.upstreams.values import allowed_durations, allowed_words, value_problems

__all__ = ["Detail", "Fitted", "OutsideCard", "fit"]


class Fitted(Struct, frozen=True):
    """A request the model can serve: defaults filled in, and the names of the parameters it lacks."""

    spec: Spec
    unsupported: tuple[str, ...]


def fit(spec: Spec, card: ModelCard) -> Fitted:
    """Brings a request within a card. Raises OutsideCard with every reason when it cannot be.

    Fitting a fitted request again changes nothing.
    """
    inputs = read_inputs(spec.content, card)
    spec = structs.replace(
        spec, content=inputs.content, resolution=_canonical_resolution(spec.resolution, card)
    )
    spec, lacking = _drop(spec, _lacking(spec, card))
    spec = _fill_defaults(spec, card, inputs)
    rules = _rules_in_force(spec, card, inputs)
    ruled_out = tuple(name for rule in rules for name in rule.drops)
    spec, taken_away = _drop(spec, ruled_out)
    if spec.ratio is None and card.defaults.ratio is not None and "ratio" not in ruled_out:
        spec = structs.replace(
            spec, ratio=_default_word(card.defaults.ratio, allowed_words("ratios", card, rules))
        )
    problems = (*inputs.problems, *value_problems(spec, card, rules))
    if problems:
        raise OutsideCard(problems)
    dropped = lacking | taken_away
    return Fitted(spec, tuple(name for name in _TAKES if name in dropped) if dropped else ())


_TAKES: dict[str, Callable[[ModelCard, Spec], bool]] = {
    "duration": lambda card, _: (
        card.durations is not None or card.model_decides_duration or card.leaves_open("durations")
    ),
    "frames": lambda card, _: card.frames is not None or card.leaves_open("frames"),
    "resolution": lambda card, _: bool(card.resolutions) or card.leaves_open("resolutions"),
    "ratio": lambda card, _: bool(card.ratios) or card.leaves_open("ratios"),
    "seed": lambda card, _: "seed" in card.parameters,
    "generate_audio": lambda card, spec: (
        card.audio == "switch" or (card.audio == "always" and spec.generate_audio is True)
    ),
    "return_last_frame": lambda card, _: "return_last_frame" in card.parameters,
    "camera_fixed": lambda card, _: "camera_fixed" in card.parameters,
    "watermark": lambda card, _: "watermark" in card.parameters,
    "draft": lambda card, _: "draft" in card.parameters,
    "negative_prompt": lambda card, _: "negative_prompt" in card.parameters,
    "guidance_scale": lambda card, _: "guidance_scale" in card.parameters,
    "num_inference_steps": lambda card, _: "num_inference_steps" in card.parameters,
    "output_format": lambda card, _: bool(card.output_formats),
    "omni_reference_task_type": lambda card, _: bool(card.task_types),
}
"""Whether a model has a parameter at all. What is not listed belongs to the platform, or, as service_tier, to
every model; sound that is always on grants ``generate_audio: true`` and cannot grant false."""


def _lacking(spec: Spec, card: ModelCard) -> tuple[str, ...]:
    """The parameters of the request that the model does not have."""
    return tuple(
        name for name, takes in _TAKES.items() if getattr(spec, name) is not None and not takes(card, spec)
    )


def _drop(spec: Spec, names: tuple[str, ...]) -> tuple[Spec, frozenset[str]]:
    """Without the named parameters, and which of them the request had."""
    present = frozenset(name for name in names if getattr(spec, name) is not None)
    return (structs.replace(spec, **dict.fromkeys(present)) if present else spec), present


def _fill_defaults(spec: Spec, card: ModelCard, inputs: Inputs) -> Spec:
    """Sound, then resolution, then duration, each within what the earlier ones leave open."""
    chosen = card.defaults
    if spec.generate_audio is None and chosen.generate_audio is not None:
        spec = structs.replace(spec, generate_audio=chosen.generate_audio)
    if spec.resolution is None and chosen.resolution is not None:
        rules = _rules_in_force(spec, card, inputs)
        resolution = _default_word(chosen.resolution, allowed_words("resolutions", card, rules))
        spec = structs.replace(spec, resolution=resolution)
    if spec.duration is None and spec.frames is None and chosen.duration is not None:
        rules = _rules_in_force(spec, card, inputs)
        spec = structs.replace(spec, duration=_default_duration(chosen.duration, card, rules))
    return spec


def _default_word(default: str, allowed: tuple[str, ...]) -> str:
    return default if default in allowed or not allowed else allowed[0]


def _default_duration(default: int, card: ModelCard, rules: tuple[Rule, ...]) -> int:
    if not any(rule.durations for rule in rules):
        return default
    allowed = allowed_durations(card, rules)
    return nearest_number(default, allowed) if allowed else default


def _rules_in_force(spec: Spec, card: ModelCard, inputs: Inputs) -> tuple[Rule, ...]:
    if not card.rules:
        return ()
    situation = Situation(
        scenario=inputs.scenario,
        roles=inputs.roles,
        resolution=spec.resolution,
        duration=spec.duration,
        generate_audio=spec.generate_audio,
        draft=spec.draft is True,
        service_tier=spec.service_tier or "default",
    )
    return tuple(rule for rule in card.rules if rule.when.holds(situation))


def _canonical_resolution(value: str | None, card: ModelCard) -> str | None:
    """The card's own spelling where the request differs from it in case only (``720P``, ``4K``)."""
    if value is None:
        return None
    lowered = value.lower()
    known = lowered in card.resolutions or card.leaves_open("resolutions")
    return lowered if known else value
