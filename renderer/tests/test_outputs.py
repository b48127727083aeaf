"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshapi_renderer.job import InvalidInput
from meshapi_renderer.outputs import Outputs


def test_a_file_appears_only_when_committed(tmp_path: Path) -> None:
    outputs = Outputs()
    draft = outputs.begin(str(tmp_path / "a.mp4"), "output")
    draft.write_bytes(b"video")
    assert not (tmp_path / "a.mp4").exists()
    outputs.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"video"


def test_a_commit_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")
    outputs = Outputs()
    outputs.begin(str(tmp_path / "a.mp4"), "output").write_bytes(b"new")
    outputs.commit()
    assert (tmp_path / "a.mp4").read_bytes() == b"new"


def test_a_discarded_job_leaves_nothing_and_can_begin_nothing(tmp_path: Path) -> None:
    outputs = Outputs()
    outputs.begin(str(tmp_path / "a.mp4"), "output").write_bytes(b"half")
    outputs.begin(str(tmp_path / "b.png"), "last_frame_output")
    outputs.discard()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="stopped"):
        outputs.begin(str(tmp_path / "c.png"), "output")
    assert list(tmp_path.iterdir()) == []


def test_committed_files_survive_a_later_discard(tmp_path: Path) -> None:
    outputs = Outputs()
    outputs.begin(str(tmp_path / "a.mp4"), "output")
    outputs.commit()
    outputs.discard()
    assert (tmp_path / "a.mp4").exists()


def test_a_missing_folder_and_a_folder_in_the_way_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="output: cannot be written: No such file"):
        Outputs().begin(str(tmp_path / "none" / "a.mp4"), "output")
    with pytest.raises(InvalidInput, match="output: is a folder"):
        Outputs().begin(str(tmp_path), "output")
