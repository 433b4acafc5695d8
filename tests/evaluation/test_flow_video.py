"""The flow video: what browsers and phones play, with a legend inside, in the time of its source."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tests.evaluation.fakes import noise
from tfflow.data.decoding import decode
from tfflow.data.video import video_info
from tfflow.errors import InputError
from tfflow.evaluation.flow_video import NO_FLOW, FlowVideo, encoder, picture
from tfflow.evaluation.pictures import flow_to_colour
from tfflow.evaluation.writer import Writer
from tfflow.models.estimate import Estimate


def flow(u, v, h=120, w=160):
    return np.broadcast_to(np.float32([u, v]), (h, w, 2))


def image(grey, h=120, w=160):
    return np.full((h, w, 3), grey, np.uint8)


def film(path, fps=12.5, frames=9):
    made = FlowVideo(path, (120, 320, 3), fps)
    for n in range(frames):
        made.write(picture(image(20 * n), flow(n, -2.0), 8.0))
    made.close()
    return path


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".webm", "vp9")])
def test_a_video_is_of_a_codec_that_browsers_and_phones_take(tmp_path, suffix, codec):
    path = film(tmp_path / f"a{suffix}")
    with av.open(str(path)) as container:
        (stream,) = container.streams
        context = stream.codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == (codec, "yuv420p")
        assert codec != "h264" or context.profile == "High"
        assert (context.colorspace, context.color_range) == (1, 1)  # BT.709, limited
    info = video_info(path)
    assert (info.frames, info.height, info.width) == (9, 120, 320) and info.fps == pytest.approx(12.5, abs=0.01)


def test_an_mp4_plays_while_it_loads(tmp_path):
    data = film(tmp_path / "a.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_colours_come_back_as_they_went_in(tmp_path, suffix):
    made = FlowVideo(tmp_path / f"a{suffix}", (64, 64, 3), 10)
    colours = [(255, 0, 0), (0, 208, 255), (255, 229, 0), (88, 0, 255)]
    for colour in colours:
        made.write(np.broadcast_to(np.uint8(colour), (64, 64, 3)))
    made.close()
    with av.open(str(made.path)) as container:
        for frame, colour in zip(container.decode(video=0), colours, strict=True):
            pixels = frame.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709").to_ndarray()
            assert np.abs(pixels[20:40, 20:40].mean((0, 1)) - colour).max() < 8


@pytest.mark.parametrize("fps", [10, 24000 / 1001, 30000 / 1001, 59.94])
def test_the_rate_is_that_of_the_source(tmp_path, fps):
    assert video_info(film(tmp_path / "a.mp4", fps, 12)).fps == pytest.approx(fps, abs=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("fps", [24000 / 1001, 25, 30000 / 1001, 60])
def test_a_video_has_all_frames_that_were_written(tmp_path, fps, suffix):
    """Also where the container gives the last frame another duration than the others, as mp4 does at 29.97."""
    rng = np.random.default_rng(7)
    still = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    for count in (1, 2, 47, 119):
        path = tmp_path / f"{count}{suffix}"
        video = FlowVideo(path, still.shape, fps)
        for k in range(count):
            video.write(np.roll(still, k // 3, axis=1))
        video.close()
        assert video_info(path).frames == count == sum(1 for _ in decode(path))


def test_side_by_side_or_one_above_the_other_or_blended_or_alone():
    shown = flow_to_colour(flow(4.0, 0.0), 8.0)
    corner = np.s_[:40, :40]  # far from the legend
    side = picture(image(90), flow(4.0, 0.0), 8.0)
    assert side.shape == (120, 320, 3) and (side[corner] == 90).all()
    np.testing.assert_array_equal(side[:40, 160:200], shown[corner])
    wide = picture(image(90, 80, 200), flow(4.0, 0.0, 80, 200), 8.0)
    assert wide.shape == (160, 200, 3) and (wide[corner] == 90).all()
    blend = picture(image(90), flow(4.0, 0.0), 8.0, "blend")
    assert np.abs(blend[corner] - (0.5 * shown[corner] + 45)).max() <= 1 and blend.shape == (120, 160, 3)
    np.testing.assert_array_equal(picture(image(90), flow(4.0, 0.0), 8.0, "flow")[corner], shown[corner])


def test_the_legend_stands_inside_and_says_the_scale():
    large, other = (picture(image(0, 240, 320), flow(0, 0, 240, 320), scale, "flow") for scale in (8.0, 20.0))
    assert large.shape == (240, 320, 3)
    changed = np.argwhere((large != other).any(-1))
    assert changed.size and changed.min(0)[0] > 150 and changed.min(0)[1] > 200  # the number alone
    assert len(np.unique(large[170:, 250:].reshape(-1, 3), axis=0)) > 50  # the wheel
    small = picture(image(0, 40, 60), flow(0, 0, 40, 60), 8.0, "flow")
    assert (small == 255).all()  # too small for one


def test_a_frame_of_uneven_sides_is_continued_and_a_huge_one_shrunk():
    assert picture(image(9, 33, 51), flow(1, 1, 33, 51), 4.0, "flow").shape == (34, 52, 3)
    huge = picture(image(9, 1000, 4000), flow(1, 1, 1000, 4000), 4.0)
    assert huge.shape == (1920, 3840, 3)


def test_the_video_keeps_the_time_of_its_source_at_a_cut(tmp_path):
    frames = [(255 * noise(n, 48, 64)).astype(np.uint8) for n in range(6)]
    with Writer(tmp_path, ["video"], 2.0, 10.0, layout="flow", cuts=["3"]) as writer:
        for n in (0, 1, 3, 4):  # none from 2 to 3
            writer.write(Estimate(flow(2.0, 0.0, 48, 64), frames[n], frames[n + 1], name=str(n + 1)))
    shown = [frame.mean((0, 1)) for _, frame in decode(tmp_path / "flow.mp4")]
    assert len(shown) == 5
    assert np.ptp(shown[2]) < 5 and abs(shown[2].mean() - NO_FLOW) < 5
    assert all(np.ptp(shown[n]) > 100 for n in (0, 1, 3, 4))
    assert '"3"' in (tmp_path / "predict.json").read_text()


def test_other_names_and_missing_encoders_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"a.avi' is no name of a video to write: expected \.mp4 or \.webm"):
        encoder(tmp_path / "a.avi")
    monkeypatch.setattr("av.codecs_available", {"mpeg4"})
    with pytest.raises(InputError, match=r"no encoder for \.mp4 \(libx264, libopenh264\): install av from PyPI"):
        FlowVideo(tmp_path / "a.mp4", (32, 32, 3), 10)
    assert not list(tmp_path.iterdir())
