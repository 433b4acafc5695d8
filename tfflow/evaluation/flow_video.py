"""Videos of flow that browsers and phones play: H.264 in .mp4, VP9 in .webm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tfflow.data.colours import flow_to_colour, to_bytes
from tfflow.errors import InputError
from tfflow.evaluation.pictures import legend
from tfflow.files import write_whole

LAYOUTS = ("side", "blend", "flow")
"""side: frame and flow side by side, wide frames one above the other; blend: both in one picture; flow: flow alone."""

ENCODERS: dict[str, dict[str, dict[str, str]]] = {
    ".mp4": {
        "libx264": {"crf": "18", "preset": "medium", "profile": "high"},
        "libopenh264": {"profile": "high"},
    },
    ".webm": {
        "libvpx-vp9": {"crf": "30", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
        "libaom-av1": {"crf": "30", "cpu-used": "8"},
    },
}
"""Encoders of each kind of file and their settings. The first one that FFmpeg has is used."""

LONGEST = 3840  # px; the longest side that decoders of phones take
NO_FLOW = 200  # grey level of a frame without flow to the next one, as at a shot cut
BT709, LIMITED = 1, 1  # FFmpeg's numbers for the colour space and range that players expect


def picture(image: np.ndarray, flow: np.ndarray | None, scale: float, layout: str = "side") -> np.ndarray:
    """One frame of the video, uint8 RGB with even sides.

    image: [h, w, 3]. flow: [h, w, 2], px, or None. scale: px at full saturation; the legend in the lower right corner
    states it.
    """
    image = to_bytes(image)
    colour = np.full(image.shape, NO_FLOW, np.uint8) if flow is None else flow_to_colour(flow, scale)
    if layout == "side":
        wide = image.shape[1] > 1.8 * image.shape[0]
        shown = np.concatenate([image, colour], axis=0 if wide else 1)
    elif layout == "blend":
        shown = image if flow is None else cv2.addWeighted(image, 0.5, colour, 0.5, 0)
    else:
        shown = colour
    share = min(1.0, LONGEST / max(shown.shape[:2]))
    if share < 1:
        shown = cv2.resize(shown, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    h, w = shown.shape[:2]
    return inset(np.pad(shown, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge"), scale)


def inset(shown: np.ndarray, scale: float) -> np.ndarray:
    """`shown` with a small legend in its lower right corner, unless it is too small for one."""
    size = int(np.clip(min(shown.shape[:2]) // 6, 48, 128))
    disc = legend(scale, size)
    h, w = disc.shape[:2]
    if 2 * h > shown.shape[0] or 2 * w > shown.shape[1]:
        return shown
    framed = shown.copy()
    framed[-h:, -w:] = disc
    return framed


class FlowVideo:
    """A video file. It gets its name when it is closed, so it is complete or absent.

    path: its suffix, .mp4 or .webm, chooses the kind. shape: of the frames, uint8 RGB with even sides. fps: frames a
    second. Raises InputError if FFmpeg has no encoder for it, or cannot write.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], fps: float):
        self.path, self.shape, self.count = path, shape, 0
        rate = max(Fraction(1, 1001), Fraction(fps).limit_denominator(1001))
        name, options = encoder(path)
        self._container: Any
        self._stream: Any
        with contextlib.ExitStack() as stack:
            self._part = stack.enter_context(write_whole(path))
            with self._refusing():
                kind = path.suffix[1:].lower()
                first = {"movflags": "+faststart"} if kind == "mp4" else {}  # so that it can play before it is loaded
                self._container = stack.enter_context(av.open(str(self._part), "w", format=kind, options=first))
                self._stream = self._container.add_stream(name, rate=rate, options=options)
                self._stream.height, self._stream.width = shape[:2]
                self._stream.pix_fmt = "yuv420p"
                context = self._stream.codec_context
                context.colorspace = context.color_primaries = context.color_trc = BT709
                context.color_range = LIMITED
                if name == "libopenh264":  # which has no constant quality
                    self._stream.bit_rate = min(2**30, int(0.5 * rate * shape[0] * shape[1]))
            self._stack = stack.pop_all()

    def write(self, shown: np.ndarray) -> None:
        """Adds a frame."""
        with self._refusing():
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            frame.pts, frame.time_base = self.count, 1 / self._stream.codec_context.framerate
            self._container.mux(self._stream.encode(frame))
        self.count += 1

    def close(self) -> None:
        """Completes the file."""
        with self._stack, self._refusing():
            self._container.mux(self._stream.encode())
            self._container.close()
            with av.open(str(self._part)) as written:
                found = sum(packet.size > 0 for packet in written.demux(video=0))
            if found != self.count:
                raise InputError(f"cannot write '{self.path}': it lacks some of {self.count} frames; is the disk full?")

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            why = getattr(error, "strerror", None) or error
            raise InputError(f"cannot write '{self.path}': {why}; is the disk full? else leave video out") from None


def encoder(path: Path) -> tuple[str, dict[str, str]]:
    """The encoder for a video of this name, and its settings. InputError if there is none."""
    kind = path.suffix.lower()
    if kind not in ENCODERS:
        raise InputError(f"'{path}' is no name of a video to write: expected {' or '.join(ENCODERS)}")
    for name, options in ENCODERS[kind].items():
        if name in av.codecs_available:
            return name, options
    raise InputError(
        f"this FFmpeg has no encoder for {kind} ({', '.join(ENCODERS[kind])}): install av from PyPI, or leave video out"
    )
