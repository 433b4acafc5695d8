"""Decodes video files: frames with numbers by their time, upright, of one size. Missing frames are reported.

PyAV decodes, by FFmpeg's libraries. OpenCV is not used, because versions 4.13 and 5.0 return uninitialised memory for
interlaced video and report it in a log alone.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shlex
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.logging
import numpy as np
from av.video.reformatter import VideoReformatter

from tfflow.data import headers
from tfflow.data.images import read_bytes
from tfflow.data.timeline import Timeline
from tfflow.errors import InputError
from tfflow.messages import counted, warn

# Containers of video. Playlists (which refer to other files and addresses), still images and texts are excluded.
FORMATS = (
    "amv,asf,av1,avi,avs2,cavsvideo,dirac,dnxhd,dv,flv,gif,gxf,h261,h263,h264,hevc,ivf,ivr,live_flv,lmlm4,m4v,matroska,"
    "webm,mjpeg,mov,mp4,mpeg,mpegts,mpegvideo,mxf,nsv,nut,obu,ogg,pva,rm,vc1,vc1test,vvc,wtv,yuv4mpegpipe"
)
SHORT = 2  # number of frames by which a header may be too high


class VideoInfo(NamedTuple):
    """The header of a video. frames is 0 and fps 25 if the file does not state them."""

    frames: int
    fps: float
    height: int
    width: int


class Notes:
    """The damage of a video. stopped: a text if it ends early. damage: a text that names the missing frames."""

    def __init__(self, stopped: str = "", damage: str = ""):
        self.stopped, self.damage = stopped, damage

    def report(self, on_error: str) -> None:
        """Warns of missing frames. An early end raises InputError; with on_error="skip" it is a warning too."""
        if self.damage:
            warn(self.damage)
        if self.stopped and on_error == "stop":
            raise InputError(f"{self.stopped}; repair it, or go on with what is there by `on_error='skip'`")
        if self.stopped:
            warn(self.stopped)


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Number of frames, frames a second, height and width (upright) of a video. InputError if it cannot be opened."""
    with _opened(path) as (container, stream):
        info = _info(path, container, stream)
        turned = False
        with contextlib.suppress(av.FFmpegError, StopIteration):
            turned = _quarters(next(container.decode(stream))) % 2 == 1
    return info._replace(height=info.width, width=info.height) if turned else info


def decode(path: str | os.PathLike, on_error: str = "stop", notes: Notes | None = None) -> Iterator[tuple[int, Any]]:
    """(number, uint8 RGB [h, w, 3]) of every undamaged frame, one at a time. At the end, `Notes.report` reports damage.

    The first frame has number 1. Missing frames leave gaps in the numbers, so two frames are consecutive if their
    numbers are. Raises InputError if nothing can be decoded, or if the size changes.
    """
    notes = notes or Notes()
    with _opened(path) as (container, stream):
        info, codec = _info(path, container, stream), stream.codec_context.codec.canonical_name
        timeline, reformatter, count = Timeline(stream.start_time, info.fps), VideoReformatter(), 0
        for frame, damaged in _frames(container, stream, timeline):
            if (frame.height, frame.width) != (info.height, info.width):
                came, expected = f"{frame.width} x {frame.height}", f"{info.width} x {info.height}"
                notes.stopped = (
                    f"'{_end(path)}' stops in the middle: {counted(count, 'frame')} read, then a frame of {came} "
                    f"pixels came, expected {expected} (codec {codec}); to convert it: {conversion(path)}"
                )
                break
            number = timeline.place(frame.pts, frame.duration, frame.time_base, damaged)
            if damaged or not number:
                continue
            try:
                pixels = reformatter.reformat(frame, format="rgb24").to_ndarray()
            except (av.FFmpegError, ValueError) as error:
                kind = f"{codec}, {frame.format.name}"
                raise _refused(path, f"its frames ({kind}) become no RGB ({_why(error)})") from None
            count += 1
            yield number, np.ascontiguousarray(np.rot90(pixels, _quarters(frame)))
        if not count and not notes.stopped:
            raise _refused(path, f"it opens as a video, but none of its frames can be decoded (codec {codec})")
        short = 0 if notes.stopped else info.frames - max(timeline.number, _last(timeline, info, stream))
        if short - timeline.broken > SHORT:  # broken: frames that failed to decode
            notes.stopped = (
                f"'{path}' stops in the middle: {counted(count, 'frame')} read, its header says {info.frames}"
            )
        elif short > 0 and (timeline.broken or timeline.lost or stream.container.format.name == "avi"):
            timeline.lose(short)
        if text := timeline.text():
            notes.damage = f"'{path}' is damaged (codec {codec}): {text}; pairs with them are left out"
    notes.report(on_error)


def sample_pairs(path: str | os.PathLike, count: int, most: int = 250) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Up to `count` pairs of consecutive frames, uint8 RGB, evenly spaced over a whole video.

    Each pair is decoded from the key frame before it, over at most `most` frames, so a long video takes no longer.
    There are fewer pairs if key frames are rarer, or frames are damaged.
    """
    with _opened(path) as (container, stream), contextlib.suppress(av.FFmpegError, ValueError):
        seconds, first = _seconds(container, stream), stream.start_time or 0
        for k in range(count if seconds else 0):
            target = first + int(seconds * k / count / stream.time_base)
            container.seek(target, stream=stream)
            pair: list[np.ndarray] = []
            for n, frame in enumerate(container.decode(stream)):
                reached = n >= most or frame.pts is None or frame.pts >= target
                if reached and not frame.is_corrupt:
                    pair.append(np.rot90(frame.to_ndarray(format="rgb24"), _quarters(frame)))
                if len(pair) == 2:
                    break
            if len(pair) == 2 and pair[0].shape == pair[1].shape:
                yield np.ascontiguousarray(pair[0]), np.ascontiguousarray(pair[1])


def conversion(path: str | os.PathLike) -> str:
    """The command that converts any video to a format that every program reads."""
    return f"ffmpeg -i {shlex.quote(Path(path).name)} -c:v libx264 -crf 10 -pix_fmt yuv420p converted.mp4"


def _frames(container, stream, timeline: Timeline) -> Iterator[tuple[av.VideoFrame, bool]]:
    """Decoded frames, and whether each is damaged. Frames that fail to decode count in `timeline.broken`."""
    packets, damaged = container.demux(stream), set()
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, ValueError):
            timeline.broken += 1
            return
        if packet.is_corrupt:
            damaged.add(packet.pts)
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            timeline.broken += 1
            continue
        timeline.broken += packet.is_corrupt
        for frame in frames:
            yield frame, frame.is_corrupt or (frame.pts is not None and frame.pts in damaged)


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[tuple[Any, Any]]:
    """The container and its video stream. InputError if it cannot be opened; the error names an unknown codec."""
    read_bytes(path, 1)
    try:
        container = _container(path)
    except (av.FFmpegError, ValueError) as error:
        raise _refused(path, f"it is no video that FFmpeg reads, or it is damaged ({_why(error)})") from None
    with container:
        stream = container.streams.best("video")
        if stream is None:
            raise _refused(path, "it holds no video")
        context = stream.codec_context
        if context is None:
            raise _refused(path, f"no decoder for its codec, {_unknown_codec(path)}, is in this FFmpeg")
        context.options = {"max_pixels": str(headers.MAX_PIXELS)}
        if (
            context.name == "mjpeg"
        ):  # every frame is a key frame; without this, half a frame would be returned as a whole one
            context.options |= {"err_detect": "explode"}
        yield container, stream


def _container(path: str | os.PathLike):
    # Absolute path: a colon in a relative one would be read as a protocol. Stream options crash PyAV up to 17.0.
    options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
    return av.open(str(Path(path).absolute()), container_options=options, metadata_errors="replace")


def _info(path: str | os.PathLike, container, stream) -> VideoInfo:
    width, height = stream.codec_context.width, stream.codec_context.height
    try:
        headers.check_size(width, height)
    except headers.Damaged as error:
        raise _refused(path, str(error)) from None
    fps = float(stream.average_rate or stream.guessed_rate or 0)
    if not 0 < fps < 1e5:
        return VideoInfo(0, 25.0, height, width)
    frames = _seconds(container, stream) * fps + 0.5  # the last frame may last less, or more, than the others
    if container.format.name == "avi":  # the only format that counts displayed frames instead of stored ones
        frames = max(frames, stream.frames)
    return VideoInfo(int(frames) if 0 < frames < 1e9 else 0, fps, height, width)


def _seconds(container, stream) -> float:
    """The duration of the video stream, s, after its edit list; 0 if the file does not state it."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    clock = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if clock:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    alone = len(container.streams) == 1 and container.format.name not in ("mpegts", "mpeg")
    return (container.duration or 0) / av.time_base if alone else 0.0


def _last(timeline: Timeline, info: VideoInfo, stream) -> int:
    """The number of the last frame by its time. Headers also count frames that the camera dropped."""
    end = timeline.end - float((stream.start_time or 0) * (stream.time_base or Fraction(0)))
    return math.ceil(end * info.fps - 0.01) if math.isfinite(end) else 0


def _quarters(frame: av.VideoFrame) -> int:
    """Number of quarter turns to the left that make a frame upright."""
    return round(frame.rotation / 90) % 4


def _refused(path: str | os.PathLike, why: str) -> InputError:
    return InputError(f"'{_end(path)}' cannot be used: {why}; play it, or convert it: {conversion(path)}")


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:60]


def _unknown_codec(path: str | os.PathLike) -> str:
    """The name or four-letter code of a codec without a decoder, from FFmpeg's log."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as lines, contextlib.suppress(av.FFmpegError), _container(path):
            pass
    finally:
        av.logging.set_level(level)
    found = re.search(r"Video: (\w+)(?: \((\S+) / )?", " ".join(line[2] for line in lines))
    return (found[2] if found and found[2] and found[1] == "none" else found[1] if found else "") or "unknown"


def _end(path: str | os.PathLike) -> str:
    """A long path shortened to its end, so that the error message stays short."""
    text = str(path)
    return text if len(text) <= 40 else f".../{Path(path).name[-40:]}"
