"""`make demo`, as a newcomer runs it (without the installation)."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from decoded import decode

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_demo_saves_five_seconds_of_720p_with_sound_even_when_8080_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody else has it: as good
            taken.bind(("127.0.0.1", 8080))
        out = tmp_path / "clip.mp4"
        demo = subprocess.run(
            [
                sys.executable,
                str(ROOT / "examples" / "demo.py"),
                "--prompt",
                "A futuristic city at night",
                "--out",
                str(out),
                "--data",
                str(tmp_path / "data"),
            ],
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Task ID: task_" in demo.stdout
    assert "succeeded" in demo.stdout
    video = decode(out)
    assert (video.codec, video.audio_codec) == ("h264", "aac")
    assert (video.width, video.height, video.fps) == (1280, 720, 24.0)
    assert len(video.frames) == 120
    assert video.seconds == pytest.approx(5.0, abs=0.05)
    assert video.loudness is not None
    assert -40 < video.loudness < -10
    assert out.read_bytes().find(b"moov") < out.read_bytes().find(b"mdat"), "not ready to stream"
