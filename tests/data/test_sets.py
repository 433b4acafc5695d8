"""Each data set's reader on a tiny tree in the official layout, and on damaged trees."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.data import trees
from tfflow.data.sources import open_source
from tfflow.errors import InputError

HALF = (1 - trees.half_mask() / 255).astype(np.float32)[:, :, None]


def names(source) -> list[str]:
    return [source.record_name(i) for i in range(len(source))]


def test_chairs_pairs_their_frames_and_flow(tmp_path):
    root = trees.chairs(tmp_path)
    source = open_source(f"chairs:{root}")
    assert names(source) == ["00001", "00002", "00003"] and source.name == f"chairs:{root}"
    assert source.truth == {"flow12", "valid1"}
    sample = source.sample(1)
    assert set(sample) == {"image1", "image2", "flow12", "valid1"}
    np.testing.assert_allclose(sample["image1"], trees.picture(2) / 255, atol=1e-7)
    np.testing.assert_allclose(sample["image2"], trees.picture(102) / 255, atol=1e-7)
    np.testing.assert_array_equal(sample["flow12"], trees.ramp_flow(2))


def test_chairs_may_be_named_by_the_data_folder(tmp_path):
    assert names(open_source(f"chairs:{trees.chairs(tmp_path)}/data")) == ["00001", "00002", "00003"]


def test_chairs_read_backward_flow_and_occlusions_where_a_set_has_them(tmp_path):
    source = open_source(f"chairs:{trees.chairs(tmp_path, extras=True)}")
    assert source.truth == {"flow12", "valid1", "visible1", "flow21", "valid2", "visible2"}
    sample = source.sample(0)
    np.testing.assert_array_equal(sample["flow21"], -trees.ramp_flow(1))
    np.testing.assert_array_equal(sample["visible1"], HALF)
    np.testing.assert_array_equal(sample["visible2"], HALF[:, ::-1])


@pytest.mark.parametrize("where", ["FlyingChairs_train_val.txt", "data/chairs_split.txt"])
def test_chairs_split_by_the_official_file(tmp_path, where):
    (trees.chairs(tmp_path) / where).write_text("1\n2\n1\n")
    assert names(open_source(f"chairs-train:{tmp_path}")) == ["00001", "00003"]
    assert names(open_source(f"chairs-val:{tmp_path}/data")) == ["00002"]


@pytest.mark.parametrize(
    ("split", "text"),
    [
        (
            None,
            r"has no split file: put FlyingChairs_train_val\.txt or chairs_split\.txt into it, or use the kind chairs",
        ),
        ("1\n2\n", r"the split file of '.*' has 2 lines: expected one for pair '00003'"),
        ("1\n2\n3\n", r"FlyingChairs_train_val\.txt' is damaged: expected a 1 \(train\) or 2 \(val\) a line"),
        ("1\n1\n1\n", r"chairs-val:.*: expected pairs of frames, found none"),
    ],
)
def test_chairs_refuse_a_split_that_does_not_fit(tmp_path, split, text):
    trees.chairs(tmp_path)
    if split:
        (tmp_path / "FlyingChairs_train_val.txt").write_text(split)
    with pytest.raises(InputError, match=text):
        open_source(f"chairs-val:{tmp_path}")


@pytest.mark.parametrize("inside", ["", "/training"])
@pytest.mark.parametrize(("kind", "seed"), [("sintel-clean", 0), ("sintel-final", 50)])
def test_sintel_pairs_consecutive_frames_of_each_scene_and_pass(tmp_path, kind, seed, inside):
    source = open_source(f"{kind}:{trees.sintel(tmp_path)}{inside}")
    assert names(source) == ["alley_1/frame_0001", "alley_1/frame_0002", "cave_2/frame_0004"]  # 0006 is missing
    assert source.truth == {"flow12", "valid1", "visible1"}
    sample = source.sample(1)
    np.testing.assert_allclose(sample["image2"], trees.picture(3 + seed) / 255, atol=1e-7)
    np.testing.assert_array_equal(sample["visible1"], HALF)
    invalid = trees.half_mask().T.copy().reshape(6, 10, 1) / 255
    np.testing.assert_array_equal(sample["valid1"], 1 - invalid)
    np.testing.assert_array_equal(sample["flow12"], trees.ramp_flow(2) * (1 - invalid))


def test_sintel_without_masks_has_flow_alone(tmp_path):
    trees.sintel(tmp_path)
    for folder in ("occlusions/alley_1", "invalid"):
        shutil.rmtree(tmp_path / "training" / folder)
    source = open_source(f"sintel-clean:{tmp_path}")
    assert source.truth == {"flow12", "valid1"}  # what every sample has
    assert "visible1" not in source.sample(0) and "visible1" in source.sample(2)


def test_sintel_test_half_has_no_truth(tmp_path):
    source = open_source(f"sintel-final:{trees.sintel(tmp_path, 'test')}")
    assert source.truth == frozenset() and set(source.sample(0)) == {"image1", "image2"} and len(source) == 3


@pytest.mark.parametrize(
    ("kind", "images"), [("kitti2012", "colored_0"), ("kitti2012", "image_0"), ("kitti2015", "image_2")]
)
@pytest.mark.parametrize("inside", ["", "/training"])
def test_kitti_reads_occ_as_valid_and_noc_as_visible(tmp_path, kind, images, inside):
    source = open_source(f"{kind}:{trees.kitti(tmp_path, images)}{inside}")
    assert names(source) == ["000000_10", "000001_10"] and source.truth == {"flow12", "valid1", "visible1"}
    sample = source.sample(1)
    np.testing.assert_allclose(sample["image2"], trees.picture(41) / 255, atol=1e-7)
    assert sample["valid1"].sum() == 4 * 10 and sample["visible1"].sum() == 4 * 6
    np.testing.assert_array_equal(sample["flow12"][2:], trees.ramp_flow(1)[2:])


def test_kitti_2012_prefers_colour(tmp_path):
    trees.kitti(tmp_path, "image_0")
    trees.kitti(tmp_path, "colored_0")
    assert "colored_0" in str(open_source(f"kitti2012:{tmp_path}").records[0].image1)


def test_kitti_testing_half_has_no_truth(tmp_path):
    source = open_source(f"kitti2015:{trees.kitti(tmp_path, half='testing')}")
    assert source.truth == frozenset() and names(source) == ["000000_10", "000001_10"]


def test_kitti_multiview_never_touches_frames_9_to_12(tmp_path):
    source = open_source(f"kitti-multiview:{trees.kitti(tmp_path, frames=tuple(range(21)))}/training")
    first = [f"000000_{k:02d}" for k in (*range(0, 8), *range(13, 20))]
    assert names(source) == first + [name.replace("000000", "000001") for name in first]
    used = {record.image2.stem[-2:] for record in source.records} | {
        record.image1.stem[-2:] for record in source.records
    }
    assert used == {f"{k:02d}" for k in (*range(0, 9), *range(13, 21))}
    assert source.truth == frozenset()  # though flow_occ lies beside


def test_kitti_multiview_root_gives_both_halves_under_unique_names(tmp_path):
    trees.kitti(tmp_path, frames=(0, 1))
    trees.kitti(tmp_path, frames=(7, 8, 9), half="testing")
    source = open_source(f"kitti-multiview:{tmp_path}")
    assert names(source) == [
        f"{half}/00000{s}_{k}" for half, k in (("training", "00"), ("testing", "07")) for s in (0, 1)
    ]


@pytest.mark.parametrize("inside", ["", "/other-data"])
def test_middlebury_takes_the_scenes_with_truth_and_masks_unknown_pixels(tmp_path, inside):
    source = open_source(f"middlebury:{trees.middlebury(tmp_path)}{inside}")
    assert names(source) == ["Grove2"] and source.truth == {"flow12", "valid1"}
    sample = source.sample(0)
    assert sample["valid1"].sum() == 59 and sample["valid1"][2, 3] == 0 and (sample["flow12"][2, 3] == 0).all()


def test_middlebury_without_truth_gives_all_scenes(tmp_path):
    shutil.rmtree(trees.middlebury(tmp_path) / "other-gt-flow")
    source = open_source(f"middlebury:{tmp_path}")
    assert names(source) == ["Grove2", "Walking"] and source.truth == frozenset()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("chairs", r"is not Flying Chairs: expected files like 00001_img1\.ppm in it or in data/"),
        ("sintel-clean", r"is not MPI-Sintel: expected a folder clean in it; check the path"),
        ("sintel-final", r"is not MPI-Sintel: expected a folder final in it"),
        ("kitti2012", r"is not KITTI 2012: expected a folder colored_0 or image_0 in it"),
        ("kitti2015", r"is not KITTI 2015: expected a folder image_2 in it"),
        ("kitti-multiview", r"is not KITTI multi-view: expected a folder image_2 or colored_0 or image_0 in it"),
        ("middlebury", r"is not Middlebury: expected other-data/<scene>/frame10\.png and frame11\.png in it"),
    ],
)
def test_another_folder_is_refused_by_name(tmp_path, kind, text):
    with pytest.raises(InputError, match=rf"'{tmp_path}' {text}"):
        open_source(f"{kind}:{tmp_path}")
    with pytest.raises(InputError, match=rf"no such folder: '{tmp_path}/none'; check the path"):
        open_source(f"{kind}:{tmp_path}/none")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=rf"'{tmp_path}/file' is a file: expected a folder"):
        open_source(f"{kind}:{tmp_path}/file")


def test_a_tree_without_a_pair_is_refused(tmp_path):
    trees.put_image(tmp_path / "clean" / "s" / "frame_0001.png", trees.picture(0))
    with pytest.raises(InputError, match=r"sintel-clean:.*: expected pairs of frames, found none; check the path"):
        open_source(f"sintel-clean:{tmp_path}")
    trees.put_image(tmp_path / "clean" / "s" / "frame_x.png", trees.picture(0))
    with pytest.raises(InputError, match=r"frame_x\.png' is no Sintel frame: expected a name like frame_0001\.png"):
        open_source(f"sintel-clean:{tmp_path}")


@pytest.mark.parametrize("name", ["00001_img2.ppm", "00001_flow.flo", "00001_flow21.flo", "00001_occ1.png"])
def test_a_missing_or_odd_sized_file_of_a_pair_is_named(tmp_path, name):
    source = open_source(f"chairs:{trees.chairs(tmp_path, extras=True)}")
    path = tmp_path / "data" / name
    if path.suffix == ".flo":
        trees.put_flo(path, trees.ramp_flow(0, 7, 10))
    else:
        trees.put_image(path, trees.picture(0, 7, 10))
    expected = (
        rf"'{path}' is of another size than its neighbours: expected 10 x 6 pixels, got 10 x 7; resize or remove it"
    )
    with pytest.raises(InputError, match=expected):
        source.sample(0)
    path.unlink()
    with pytest.raises(InputError, match=rf"no such file: '{path}'"):
        source.sample(0)


TREES = {
    "chairs": lambda root: trees.chairs(root, 1, extras=True),
    "sintel-final": trees.sintel,
    "kitti2012": lambda root: trees.kitti(root, "image_0"),
    "middlebury": trees.middlebury,
    "frames": trees.frames,
}


@pytest.mark.parametrize("kind", TREES)
def test_1000_damaged_trees_are_read_or_refused(tmp_path, kind):
    root = TREES[kind](tmp_path / "set")
    whole = {path: path.read_bytes() for path in sorted(root.rglob("*.*"))}
    outcomes = []
    for path, data in whole.items():
        for damaged in trees.mutated(data, 1000 // len(whole) + 1):
            path.write_bytes(damaged)
            outcomes.append(_outcome(f"{kind}:{root}"))
        path.write_bytes(b"")
        outcomes.append(_outcome(f"{kind}:{root}"))
        path.unlink()
        outcomes.append(_outcome(f"{kind}:{root}"))
        path.mkdir()
        outcomes.append(_outcome(f"{kind}:{root}"))
        path.rmdir()
        path.write_bytes(data)
    assert len(outcomes) > 1000 and outcomes.count("refused") > 200 and _outcome(f"{kind}:{root}") == "read"


def _outcome(spec: str) -> str:
    try:
        source = open_source(spec)
        for i in range(len(source)):
            sample = source.sample(i)
            assert source.truth <= set(sample)
            assert len({array.shape[:2] for array in sample.values()}) == 1
            assert all(np.isfinite(array).all() and array.dtype == np.float32 for array in sample.values())
    except InputError as error:
        assert "\n" not in str(error)
        return "refused"
    return "read"
