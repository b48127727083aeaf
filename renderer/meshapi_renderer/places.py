"""Where a prompt is set: places it names, things that suggest one, and which of them decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from meshapi_renderer.lexicon import FEATURES, HOMES, PLACES
from meshapi_renderer.phrasing import NEUTRAL, Reading
from meshapi_renderer.plan import SUBJECTS, Setting

_HINT_WEIGHT: Final = 0.45
_HOME_WEIGHT: Final = 0.34
_CUE_WEIGHTS: Final = {"inside": 1.2, "aside": 0.6, "aside_after": 0.6}
_MODIFIER_WEIGHT: Final = 0.7
_FEATURE_WEIGHT: Final = 1.3
_NEXT_WEIGHT: Final = 0.4
"""How much further evidence for the same setting counts beside the best."""
_MOST_NEXT: Final = 0.5
_LATER: Final = 0.95
_MEANING_WEIGHT: Final = 0.9
"""What the whole sentence's meaning counts beside suggestions."""
_CERTAIN: Final = 0.12
"""Named places that differ by more need no second opinion."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place as mentioned: how strongly it was asked for, and what it will be drawn as."""

    text: str
    name: str
    setting: Setting
    """The setting that shows it."""
    closeness: float
    """How near the setting comes to the place, 0..1."""
    named: bool
    score: float


def places(reading: Reading) -> list[Place]:
    """All places a prompt names or suggests, in order."""
    return list(_places(reading))


def _places(reading: Reading) -> Iterator[Place]:
    order = 0
    for index, mention in enumerate(reading.asked):
        cue = _cue_weight(reading, index)
        for slot, weight in (("place", 1.0), ("hint", _HINT_WEIGHT)):
            for name in mention.values(slot):
                setting, closeness = PLACES[name]
                pull = _FEATURE_WEIGHT if name in FEATURES and slot == "place" else 1.0
                score = weight * pull * cue * (0.7 + 0.3 * closeness) * _LATER**order
                order += 1
                yield Place(mention.text, name, setting, closeness, slot == "place", score)
        for subject in SUBJECTS:
            if subject in (*mention.values("subject"), *mention.values("several")):
                home, strength = HOMES[subject]
                yield Place(mention.text, home, home, 0.8, False, _HOME_WEIGHT * strength)


def _cue_weight(reading: Reading, index: int) -> float:
    """Weigh a place by the words around it: "in the city" is the setting, "behind the city" is not."""
    mention = reading.asked[index]
    following = reading.asked[index + 1] if index + 1 < len(reading.asked) else None
    if following and following.start == mention.end:
        if "aside_after" in following.values("cue"):
            return _CUE_WEIGHTS["aside_after"]
        if following.text in {"的", "の"}:
            return _MODIFIER_WEIGHT
    for back in range(index - 1, max(-1, index - 4), -1):
        before = reading.asked[back]
        crossed = reading.tokens[before.end : mention.start]
        if any(token.is_break for token in crossed) or not before.slots <= NEUTRAL:
            break
        for cue in ("aside", "inside"):
            if cue in before.values("cue"):
                return _CUE_WEIGHTS[cue]
    return 1.0


def best_place(
    found: Sequence[Place], meaning: Callable[[], Mapping[Setting, float] | None] | None = None
) -> Place | None:
    """The place that decides the setting: the best of the setting with the most support.

    ``meaning`` gives the share of each setting in what the sentence as a whole means. It is only asked
    where the words suggest a place without naming it, or name several that weigh about the same.
    """
    support = _supports(found)
    if meaning is not None and not _certain(found, support):
        for setting, share in (meaning() or {}).items():
            support[setting] = support.get(setting, 0.0) + _MEANING_WEIGHT * share
    if not support:
        return None
    chosen = max(sorted(support), key=lambda name: round(support[name], 3))
    own = [place for place in found if place.setting == chosen]
    if own:
        return max(own, key=lambda place: place.score)
    return Place("by its meaning", chosen, chosen, 0.7, False, 0.0)


def _supports(found: Sequence[Place]) -> dict[Setting, float]:
    """What speaks for each setting: the best evidence, and a share of the rest."""
    scores: dict[Setting, list[float]] = {}
    for _, setting, score in dict.fromkeys((place.text, place.setting, place.score) for place in found):
        scores.setdefault(setting, []).append(score)
    return {
        setting: max(values) + min(_MOST_NEXT, _NEXT_WEIGHT * (sum(values) - max(values)))
        for setting, values in scores.items()
    }


def _certain(found: Sequence[Place], support: Mapping[Setting, float]) -> bool:
    """Whether a place is named and no other setting comes near it."""
    named = {place.setting for place in found if place.named}
    ranked = sorted(support.items(), key=lambda item: -item[1])
    if not ranked or ranked[0][0] not in named:
        return False
    return len(ranked) == 1 or ranked[0][1] - ranked[1][1] > _CERTAIN
