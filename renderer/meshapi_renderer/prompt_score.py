"""How many prompts are read as they are meant: `python -m meshapi_renderer.prompt_score FILE...`.

A file of prompts is TOML with a list `prompts` of tables: `text`, `setting` (what it asks for), `language`,
and `keyword` (whether it names its place by a common noun).
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshapi_renderer.meaning import ENCODER, encoder_kept, encoder_version
from meshapi_renderer.reading import read_prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and the setting it asks for."""

    text: str
    setting: str
    language: str
    keyword: bool

    @property
    def is_read_right(self) -> bool:
        """Whether the plan shows the setting."""
        return read_prompt(self.text).setting == self.setting


@dataclass(frozen=True, slots=True)
class Score:
    """Right readings out of all."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """0..1."""
        return self.right / self.of if self.of else 0.0

    def __str__(self) -> str:
        return f"{self.right} of {self.of} ({100 * self.share:.0f} %)"


def load_prompts(path: Path) -> list[Prompt]:
    """Read a file of prompts.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not TOML, or a prompt lacks a field.
    """
    with path.open("rb") as stream:
        rows = tomllib.load(stream).get("prompts", [])
    try:
        return [Prompt(**row) for row in rows]
    except TypeError as error:
        raise ValueError(f"{path}: a prompt has text, setting, language and keyword: {error}") from error


def score(prompts: Sequence[Prompt]) -> dict[str, Score]:
    """The scores of all prompts, of those with and without keywords, and of each language."""
    with encoder_kept():
        right = [prompt.is_read_right for prompt in prompts]

    def among(chosen: Sequence[bool]) -> Score:
        return Score(sum(a and b for a, b in zip(chosen, right, strict=True)), sum(chosen))

    scores = {
        "all": among([True] * len(prompts)),
        "with a keyword": among([prompt.keyword for prompt in prompts]),
        "without keywords": among([not prompt.keyword for prompt in prompts]),
    }
    for language in sorted({prompt.language for prompt in prompts}):
        scores[language] = among([prompt.language == language for prompt in prompts])
    return scores


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores of prompt files; return the exit code."""
    parser = argparse.ArgumentParser(description="Score the prompt reader.")
    parser.add_argument("files", nargs="+", type=Path, help="TOML files of prompts")
    parser.add_argument("--misses", action="store_true", help="also print the prompts that are misread")
    options = parser.parse_args(arguments)
    sys.stdout.write(f"sentence encoder: {encoder_version() or f'none ({ENCODER} is not installed)'}\n")
    for path in options.files:
        prompts = load_prompts(path)
        sys.stdout.write(f"{path.name}\n")
        for name, result in score(prompts).items():
            sys.stdout.write(f"  {name:17} {result}\n")
        if options.misses:
            for prompt in prompts:
                if not prompt.is_read_right:
                    sys.stdout.write(
                        f"  {read_prompt(prompt.text).setting} for {prompt.setting}: {prompt.text}\n"
                    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
