"""The page of all models: ``python -m meshapi_server.upstreams.models_page`` prints it as Markdown.

It is kept as ``docs/reference/models.md`` and depends on the card files alone: not on the day, and not on
which upstreams are on.
"""

import sys
from collections.abc import Iterator

from meshapi_server.upstreams.card import ModelCard, References, Upstream
from meshapi_server.upstreams.catalogue import Catalogue
from meshapi_server.upstreams.limits import spell_numbers

_INTRODUCTION = """\
# Models

Every model in the catalogue, from the card files in `server/meshapi_server/upstreams/cards/`. This page is
generated; after a change to a card write it anew:

    python -m meshapi_server.upstreams.models_page > docs/reference/models.md

Values in **bold** are filled in when a request leaves the parameter out; -1 seconds lets the model decide. A
question mark marks what the sources leave open or contradict each other about; a bare one means that the
parameter exists and every value is passed on unjudged. A dash means that the model has no such parameter.
Prices are those for the defaults ("from" where only other cases have a known price) and say how sure they
are: the vendor's own word (official), two sources that agree (agreed), or one third party (reported). All
price lines of a model stand in `video.prices` of its row in `GET /v1/models`.
"""
_COLUMNS = ("Model", "Made by", "Seconds", "Resolutions", "Ratios", "Inputs", "Sound", "Price", "Remarks")
_INPUT_NAMES = {
    "text": "text",
    "first_frame": "first frame",
    "first_last_frame": "first and last frame",
    "references": "references",
    "draft_task": "draft",
}
_CURRENCIES = {"USD": "$", "CNY": "CNY "}
_UNITS = {"second": "/s", "video": " a video", "million_tokens": "/M tokens", "input_image": " an image"}


def page(catalogue: Catalogue) -> str:
    """The whole page as Markdown, one table for each upstream."""
    sections = (_section(upstream) for upstream in catalogue.upstreams.values())
    return "\n".join((_INTRODUCTION, *sections))


def _section(upstream: Upstream) -> str:
    head = (f"## {upstream.name}", "", _row(_COLUMNS), _row("---" for _ in _COLUMNS))
    return "\n".join((*head, *(_row(_cells(card)) for card in upstream.models), ""))


def _row(cells: Iterator[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(card: ModelCard) -> tuple[str, ...]:
    return (
        f"`{card.id}`",
        card.brand,
        _durations(card),
        _words(card, "resolutions", card.resolutions, card.defaults.resolution),
        _words(card, "ratios", card.ratios, card.defaults.ratio),
        _inputs(card),
        _sound(card),
        _price(card),
        _remarks(card),
    )


def _durations(card: ModelCard) -> str:
    parts = [spell_numbers(card.durations)] if card.durations is not None else []
    if card.model_decides_duration:
        parts.append("-1")
    if card.defaults.duration is not None:
        parts.append(f"**{card.defaults.duration}**")
    return "; ".join(parts) + _doubt(card, "durations", stated=card.durations is not None)


def _words(card: ModelCard, field: str, values: tuple[str, ...], default: str | None) -> str:
    shown = ", ".join(f"**{value}**" if value == default else value for value in values)
    return shown + _doubt(card, field, stated=bool(values))


def _doubt(card: ModelCard, field: str, *, stated: bool) -> str:
    if field not in card.unsure:
        return "" if stated else "-"
    return " ?" if stated else "?"


def _inputs(card: ModelCard) -> str:
    names = [
        f"references ({_counts(card.references)})"
        if name == "references" and card.references
        else _INPUT_NAMES[name]
        for name in card.scenarios
    ]
    doubtful = "scenarios" in card.unsure or "references" in card.unsure
    return ", ".join(names) + (" ?" if doubtful else "")


def _counts(references: References) -> str:
    kinds = (("images", references.images), ("videos", references.videos), ("audios", references.audios))
    return ", ".join(kind if count is True else f"{count} {kind}" for kind, count in kinds if count)


def _sound(card: ModelCard) -> str:
    return {"never": "no", "always": "always", "switch": "yes", None: "?"}[card.audio]


def _price(card: ModelCard) -> str:
    if card.free:
        return "free"
    if card.pricing is None:
        return "not known"
    headline = card.pricing.output(card.usual_situation)
    line = headline or min(card.pricing.lines, key=lambda line: line.amount)
    amount = f"{_CURRENCIES[card.pricing.currency]}{line.amount:f}{_UNITS[line.unit]}"
    return f"{'' if headline else 'from '}{amount} ({card.pricing.certainty})"


def _remarks(card: ModelCard) -> str:
    remarks = [rule.because for rule in card.rules]
    if card.retires is not None:
        remarks.append(f"gone on {card.retires.isoformat()}")
    elif card.retired:
        remarks.append("gone")
    if card.successor is not None:
        remarks.append(f"use `{card.successor}`")
    if card.frames is not None:
        remarks.append(f"{spell_numbers(card.frames)} frames")
    return "; ".join(remarks)


if __name__ == "__main__":
    sys.stdout.write(page(Catalogue.load()))
