"""A folder of frames: natural order, clips, and refusals of what is no clip."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data import trees
from tfflow.data.sources import open_source
from tfflow.errors import InputError

pytestmark = pytest.mark.usefixtures("as_command")


def names(source) -> list[str]:
    return [source.record_name(i) for i in range(len(source))]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".ppm", ".webp", ".tif"])
def test_frames_pair_in_natural_order(tmp_path, suffix):
    source = open_source(f"frames:{trees.frames(tmp_path, 4, suffix)}")  # f8, f9, f10, f11
    assert names(source) == ["f8", "f9", "f10"] and source.truth == frozenset()
    first, second = source.sample(0), source.sample(1)
    np.testing.assert_array_equal(first["image2"], second["image1"])
    assert first["image1"].shape == (6, 10, 3) and not np.array_equal(first["image1"], first["image2"])


def test_each_subfolder_is_a_clip_of_its_own(tmp_path):
    trees.frames(tmp_path / "walk2", 3)
    trees.frames(tmp_path / "walk10", 2)
    trees.put_image(tmp_path / "odd" / "a.png", trees.picture(0, 3, 4))  # one frame makes no pair
    assert names(open_source(str(tmp_path))) == ["walk2/f8", "walk2/f9", "walk10/f8"]


def test_other_and_hidden_files_are_left_alone(tmp_path):
    trees.frames(tmp_path, 2)
    for name in ("notes.txt", "._f8.png", "Thumbs.db"):
        (tmp_path / name).write_text("no image")
    trees.put_image(tmp_path / "aside" / "x.png", trees.picture(0, 3, 4))
    assert names(open_source(f"frames:{tmp_path}")) == ["f8"]


def test_names_stay_unique_where_only_the_suffix_differs(tmp_path):
    for name in ("a.png", "a.ppm", "b.png"):
        trees.put_image(tmp_path / name, trees.picture(0))
    assert names(open_source(f"frames:{tmp_path}")) == ["a.png", "a.ppm"]


def test_an_empty_folder_and_a_single_frame_are_refused(tmp_path):
    with pytest.raises(InputError, match=rf"no images in '{tmp_path}': expected files of \.png, \.jpg"):
        open_source(f"frames:{tmp_path}")
    trees.frames(tmp_path, 1)
    with pytest.raises(InputError, match=rf"'{tmp_path}' holds 1 frame of 1 clip: expected two or more"):
        open_source(str(tmp_path))


def test_a_frame_of_another_size_is_refused_by_name_at_once(tmp_path):
    trees.frames(tmp_path, 4)
    odd = trees.put_image(tmp_path / "f9.png", trees.picture(0, 7, 5))
    text = rf"'{odd}' is of another size than its neighbours: expected 10 x 6 pixels as most frames, got 5 x 7; resize"
    with pytest.raises(InputError, match=text):
        open_source(f"frames:{tmp_path}")


def test_skip_leaves_out_both_pairs_of_an_odd_or_damaged_frame_and_names_it_once(tmp_path, capsys):
    trees.frames(tmp_path, 6)
    odd = trees.put_image(tmp_path / "f9.png", trees.picture(0, 7, 5))
    (tmp_path / "f13.png").write_bytes(b"")
    source = open_source(f"frames:{tmp_path}", on_error="skip")
    assert [source.find(i)[0] for i in range(5)] == [2, 2, 2, 3, 2]
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 2 and all(line.startswith("tfflow: warning: skipped: '") for line in warnings)
    assert f"'{odd}' is of another size" in warnings[0] and "f13.png' cannot be used: the file is empty" in warnings[1]


def test_a_damaged_frame_stops_at_once_by_name(tmp_path):
    (trees.frames(tmp_path) / "f9.png").write_bytes(b"x")
    with pytest.raises(InputError, match=r"f9\.png' cannot be used: expected a png, jpg"):
        open_source(f"frames:{tmp_path}")


def test_numbers_in_digits_of_other_scripts_are_in_natural_order_too(tmp_path):
    for name in ("clip２", "clip１０", "clip1", "clip²", "clip٣", "notes"):
        trees.frames(tmp_path / name, 2)
    order = [name.partition("/")[0] for name in names(open_source(str(tmp_path)))]
    assert order == ["clip1", "clip２", "clip٣", "clip１０", "clip²", "notes"]
