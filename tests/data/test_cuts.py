"""Shot cuts: found where the scene changes, and nowhere else; no pair crosses one."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import pytest

from tests.data import trees
from tfflow.data.cache import cache_folder
from tfflow.data.cuts import CutFinder, cuts_of_files, is_cut, thumbnail
from tfflow.data.sources import open_source
from tfflow.data.video import cache_folder as video_cache
from tfflow.errors import InputError

pytestmark = pytest.mark.usefixtures("as_command")


def scene(seed: int, height: int = 90, width: int = 160) -> np.ndarray:
    """uint8 RGB, soft blobs in every size: what a seed shows, no other does."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells in (3, 8, 20):
        total += cv2.resize(
            rng.random((cells, 2 * cells, 3), np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
    return np.clip(85 * total, 0, 255).astype(np.uint8)


def pan(seed: int, count: int, step: int = 4) -> list[np.ndarray]:
    wide = scene(seed, 90, 160 + step * count)
    return [np.ascontiguousarray(wide[:, step * n : step * n + 160]) for n in range(count)]


def cut(frame1: np.ndarray, frame2: np.ndarray) -> bool:
    return is_cut(thumbnail(frame1), thumbnail(frame2))


SHOTS = [*pan(1, 4), *pan(2, 3), *pan(3, 4)]  # cuts at places 4 and 7


def clip(folder, frames=SHOTS):
    for n, frame in enumerate(frames, 1):
        trees.put_image(folder / f"f{n}.png", frame)
    return folder


def names(source) -> list[str]:
    return [source.record_name(i) for i in range(len(source))]


def test_another_scene_is_a_cut_and_motion_is_none():
    finder = CutFinder()
    assert [n for n, frame in enumerate(SHOTS) if finder(frame)] == [4, 7]
    assert not any(map(CutFinder(on=False), SHOTS))


def test_floats_have_the_cuts_of_the_bytes():
    finder = CutFinder()
    assert [n for n, frame in enumerate(SHOTS) if finder(frame.astype(np.float32) / 255)] == [4, 7]


@pytest.mark.parametrize("share", [0.1, 0.25, 0.38])
def test_a_pan_by_a_third_of_the_frame_is_no_cut(share):
    wide = scene(5, 120, 320)
    width = round(320 / (1 + share))
    for left, right in (((wide[:, :width]), wide[:, 320 - width :]), (wide[:, 320 - width :], wide[:, :width])):
        assert not cut(left, right)


def test_a_change_of_light_is_no_cut():
    frame = scene(6)
    for gain, more in ((0.3, 0), (1.5, 30), (0.6, 60)):
        assert not cut(frame, np.clip(frame * gain + more, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("light", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("sigma", [10, 40, 80])
def test_noise_is_no_cut(light, sigma):
    """In the dark nothing but noise is seen, and none of it is found again."""
    rng = np.random.default_rng(sigma)
    frame = cv2.resize(scene(7), (640, 360)) * light
    noisy = [np.clip(frame + rng.normal(0, sigma, frame.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    assert not cut(*noisy)


def test_scenes_without_texture_are_known_from_those_with_it():
    flat = [np.full((90, 160, 3), grey, np.uint8) for grey in (0, 128)]
    assert not cut(flat[0], flat[0]) and not cut(*flat)  # the light of one and the same wall
    assert cut(flat[0], scene(1)) and cut(scene(1), flat[1])


def test_frames_too_small_to_tell_are_of_one_shot():
    finder = CutFinder()
    assert not any(finder(scene(n, 31, 160)) for n in range(4))


@pytest.mark.parametrize("kind", ["frames", "video"])
def test_no_pair_crosses_a_cut_and_it_is_said(tmp_path, capsys, kind):
    if kind == "frames":
        path, at = clip(tmp_path), "f{}"
    else:
        path, at = trees.film(tmp_path / "a.mp4", SHOTS), "frame_{:06d}"
    source = open_source(f"{kind}:{path}")
    assert names(source) == [at.format(n) for n in (1, 2, 3, 5, 6, 8, 9, 10)]
    assert source.cuts == source.with_neighbours().cuts == (at.format(4), at.format(7))
    line = capsys.readouterr().err.strip()
    assert line == (
        f"tfflow: 2 shot cuts in '{kind}:{path}', after {at.format(4)}, {at.format(7)}: no pair of frames crosses them"
    )
    whole = open_source(f"{kind}-nocuts:{path}")
    assert len(whole) == 10 and whole.cuts == () and not capsys.readouterr().err


@pytest.mark.parametrize("kind", ["frames", "video"])
def test_frames_around_a_pair_are_of_its_shot(tmp_path, kind):
    path = clip(tmp_path) if kind == "frames" else trees.film(tmp_path / "a.mp4", SHOTS)
    source = open_source(f"{kind}:{path}").with_neighbours()
    first, last = source.sample(3), source.sample(4)  # both pairs of the shot of three frames
    np.testing.assert_array_equal(first["image0"], first["image1"])
    np.testing.assert_array_equal(first["image3"], last["image2"])
    np.testing.assert_array_equal(last["image0"], first["image1"])
    np.testing.assert_array_equal(last["image3"], last["image2"])


def test_cuts_of_a_folder_are_remembered_until_a_file_changes(tmp_path, monkeypatch):
    folder = clip(tmp_path)
    files = [folder / f"f{n}.png" for n in range(1, 12)]
    assert cuts_of_files(files) == [4, 7]
    with monkeypatch.context() as patch:
        patch.setattr("tfflow.data.cuts.read_image", None)
        assert cuts_of_files(files) == [4, 7]
    trees.put_image(files[6], scene(9))
    assert cuts_of_files(files) == [4, 6, 7]
    for note in cache_folder("cuts").glob("*.json"):
        note.write_text(json.dumps({"cuts": ["1", None]}))
    assert cuts_of_files(files) == [4, 6, 7]


def test_cuts_of_a_video_are_kept_with_its_frames_and_found_where_they_were_not(tmp_path, monkeypatch):
    path = trees.film(tmp_path / "kept.mp4", SHOTS)
    expected = names(open_source(str(path)))
    (note,) = video_cache().glob("kept-*/frames.json")
    kept = json.loads(note.read_text())
    assert kept.pop("cuts") == [5, 8]
    with monkeypatch.context() as patch:
        patch.setattr("tfflow.data.video.CutFinder", None)
        patch.setattr("tfflow.data.cuts.is_cut", None)
        assert names(open_source(str(path))) == expected
    note.write_text(json.dumps(kept))  # as versions wrote it that knew no cuts
    assert names(open_source(str(path))) == expected


def test_clips_of_a_folder_are_searched_one_by_one(tmp_path):
    clip(tmp_path / "a", SHOTS[:5])
    clip(tmp_path / "b", SHOTS[5:7])
    source = open_source(str(tmp_path))
    assert names(source) == ["a/f1", "a/f2", "a/f3", "b/f1"] and source.cuts == ("a/f4",)


def test_a_folder_of_single_pictures_is_refused_with_what_takes_them(tmp_path):
    folder = clip(tmp_path, [scene(n) for n in range(3)])
    with pytest.raises(InputError, match=rf"no two of the 3 frames of '{folder}' show one scene; as frames-nocuts:"):
        open_source(str(folder))
    assert len(open_source(f"frames-nocuts:{folder}")) == 2


def test_a_frame_that_cannot_be_read_is_no_cut(tmp_path):
    folder = clip(tmp_path, SHOTS[:4])
    (folder / "f2.png").write_bytes(b"")
    assert cuts_of_files([folder / f"f{n}.png" for n in range(1, 5)]) == []


def test_real_videos_have_the_cuts_that_one_sees_and_no_others(real_data):
    from tfflow.data.decoding import decode

    expected = {"bikes.mp4": [31, 77, 138, 188, 243], "carphone_pristine.mp4": [], "tree.avi": []}
    for name, cuts in expected.items():
        finder = CutFinder()
        assert [number for number, frame in decode(real_data / "video" / name) if finder(frame)] == cuts, name
    for folder in ("handheld", "driving"):
        files = sorted((real_data / "video" / folder).glob("*.jpg"))
        assert cuts_of_files(files) == [] == cuts_of_files(files[::3])
    for left, right in (("final/temple_3/frame_0022", "0023"), ("clean/market_5/frame_0002", "0003")):
        first = real_data / "sintel" / "training" / f"{left}.png"
        assert cuts_of_files([first, first.with_name(f"frame_{right}.png")]) == []


def test_cuts_are_those_of_pyscenedetect_and_fast_motion_is_none(real_data):
    """Its score of colours takes frames of a drive for cuts, from which every third is left; flow explains them."""
    scenedetect = pytest.importorskip("scenedetect")
    path = real_data / "video" / "bikes.mp4"
    scenes = scenedetect.detect(str(path), scenedetect.ContentDetector())
    assert [start.get_frames() + 1 for start, _ in scenes[1:]] == [31, 77, 138, 188, 243]
    drive = [cv2.imread(str(file))[..., ::-1] for file in sorted((real_data / "video" / "driving").glob("*.jpg"))[::3]]
    scores = [
        np.abs(np.subtract(*(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.int32) for frame in pair))).mean()
        for pair in itertools.pairwise(drive)
    ]
    finder = CutFinder()
    assert max(scores) > 27 and not any(map(finder, drive))
