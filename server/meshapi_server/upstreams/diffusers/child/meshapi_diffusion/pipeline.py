"""A diffusers folder, loaded from this disk only, and asked for videos.

Which arguments a pipeline takes is read from its own signature, so that one piece of code runs them all.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .protocol import Render

_FULL_PRECISION = ("AutoencoderKLWan",)
"""Autoencoders that lose visible quality in 16 bits (the documentation of Wan in diffusers)."""


class Halted(Exception):
    """The order was stopped between two steps."""


class Refused(Exception):
    """The pipeline did not take the arguments; nothing was computed."""


class Unusable(Exception):
    """What the pipeline made is no video."""


class LoadedPipeline:
    """One pipeline on one device. Torch and diffusers are imported when it is made."""

    def __init__(self, folder: Path, device: str) -> None:
        # Set before the first import: with it no code below ever asks the network for a file.
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
        self._torch: Any = importlib.import_module("torch")
        self._diffusers: Any = importlib.import_module("diffusers")
        self.device = self._best_device() if device == "auto" else device
        self._pipe = self._load(folder)
        self.name: str = type(self._pipe).__name__
        self._by_name = {self.name: self._pipe}

    def frames(self, order: Render, on_step: Callable[[int, int], None], halted: Callable[[], bool]) -> Any:
        """The video as an array of shape (frames, height, width, 3), values 0..1.

        ``on_step`` is told how many steps of how many are done. Raises Halted, Refused, Unusable, and
        whatever the pipeline raises.
        """
        pipe = self._of(order.pipeline)
        begun = False

        def after_step(running: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            nonlocal begun
            begun = True
            if halted():
                raise Halted
            done = index + 1
            on_step(done, max(done, int(getattr(running, "num_timesteps", 0) or 0)))
            return tensors

        arguments = self._arguments(pipe, order, after_step)
        self._torch.manual_seed(order.seed)  # for what draws without the generator
        try:
            made = pipe(**arguments)
        except (ValueError, TypeError) as fault:
            if begun:
                raise
            raise Refused(str(fault)) from fault
        if halted():
            raise Halted
        return _checked(made.frames[0])

    def is_out_of_memory(self, fault: BaseException) -> bool:
        """Whether the fault says that memory, the device's or the machine's, was not enough."""
        if isinstance(fault, (MemoryError, self._torch.OutOfMemoryError)):
            return True
        words = str(fault).lower()
        return isinstance(fault, RuntimeError) and any(
            each in words for each in ("out of memory", "not enough memory", "can't allocate memory")
        )

    def _best_device(self) -> str:
        if self._torch.cuda.is_available():
            return "cuda"
        return "mps" if self._torch.backends.mps.is_available() else "cpu"

    def _load(self, folder: Path) -> Any:
        self._torch.device(self.device)  # complains about a name that is none
        index = json.loads((folder / "model_index.json").read_text("utf-8"))
        dtype: Any = self._dtype()
        if index.get("vae", [None, None])[1] in _FULL_PRECISION:
            dtype = {"default": dtype, "vae": self._torch.float32}
        # Weights as safetensors only: the other formats run code of whoever wrote them.
        pipe = self._diffusers.DiffusionPipeline.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            torch_dtype=dtype,  # also known as dtype since 0.42; this name goes with 1.0
        )
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(self.device)

    def _dtype(self) -> Any:
        if self.device == "cpu":
            return self._torch.float32
        bfloat = self.device.startswith("cuda") and self._torch.cuda.is_bf16_supported()
        return self._torch.bfloat16 if bfloat else self._torch.float16

    def _of(self, name: str) -> Any:
        """The pipeline of this class, over the same weights."""
        if name not in self._by_name:
            kind = getattr(self._diffusers, name, None)
            if kind is None:
                raise Refused(f"this version of diffusers has no {name}")
            # Not from_pipe, which would cast the shared weights to 32 bits.
            parts = {**dict(self._pipe.config), **self._pipe.components}
            takes = inspect.signature(kind.__init__).parameters
            made = kind(**{part: value for part, value in parts.items() if part in takes})
            made.set_progress_bar_config(disable=True)
            self._by_name[name] = made
        return self._by_name[name]

    def _arguments(self, pipe: Any, order: Render, after_step: Callable[..., Any]) -> dict[str, Any]:
        wishes = {
            "prompt": order.prompt,
            "negative_prompt": order.negative_prompt,
            "width": order.width,
            "height": order.height,
            "num_frames": order.frames,
            "frame_rate": order.fps,
            "num_inference_steps": order.steps,
            "guidance_scale": order.guidance,
            "image": _picture(order.first_frame),
            "last_image": _picture(order.last_frame),
            # Drawn on the CPU: the same seed gives the same noise on every device.
            "generator": self._torch.Generator("cpu").manual_seed(order.seed),
            "output_type": "np",
            "callback_on_step_end": after_step,
        }
        takes = inspect.signature(type(pipe).__call__).parameters
        return {name: value for name, value in wishes.items() if value is not None and name in takes}


def _picture(path: str | None) -> Any:
    if path is None:
        return None
    image: Any = importlib.import_module("PIL.Image")
    with image.open(path) as picture:
        return picture.convert("RGB")


def _checked(video: Any) -> Any:
    numpy: Any = importlib.import_module("numpy")
    clip = numpy.asarray(video)
    if clip.ndim != 4 or clip.shape[3] != 3 or not len(clip):
        raise Unusable(f"the pipeline made an array of shape {clip.shape}, no video")
    if not numpy.isfinite(clip).all():
        raise Unusable("the pipeline made values that are no numbers: its weights do not suit this precision")
    return clip
