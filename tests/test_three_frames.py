"""The commands with a network of three frames: trained, measured and used on frames, a video and scenes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tfflow
from tests.data import trees
from tests.evaluation.fakes import Constant
from tests.test_train import finished, moving, refused
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.commands import evaluate, predict
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.evaluation import prediction, scoring
from tfflow.evaluation.prediction import open_inputs, predict_all
from tfflow.evaluation.refinement import refined
from tfflow.models import FlowModel

RUN = [
    "--recipe",
    "selflow",
    "--model",
    "tiny_three",
    "--steps",
    "2",
    "--batch",
    "2",
    "--crop",
    "64x64",
    "--val-limit",
    "2",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of two steps of SelFlow on scenes."""
    out = tmp_path_factory.mktemp("three") / "run"
    code, printed, err = finished(RUN, "--data", "scenes:size=64x64,count=4", "--out", out)
    assert code == 0, err
    assert "2 steps of 2 pairs of 64x64 px" in " ".join(printed.split())
    return out


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return moving(tmp_path_factory.mktemp("clip"))


def test_a_run_ends_in_the_phase_of_superpixels(trained):
    rows = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    assert [row["phase"] for row in rows] == ["census", "superpixels"]
    assert {"census", "distillation", "epe", "gradient"} <= set(rows[-1])
    assert (trained / "report.png").is_file() and tfflow.load(trained).frames == 3


def test_pairs_alone_are_refused(tmp_path):
    trees.chairs(tmp_path / "chairs")
    text = refused(tmp_path, RUN, "--data", f"chairs:{tmp_path / 'chairs'}")
    assert text.startswith("tiny_three takes 3 frames, and chairs:")


def test_prediction_sees_the_frame_before_and_at_the_beginning_the_first_itself(trained, clip, tmp_path):
    assert (
        predict.main(
            [str(clip), "--weights", str(trained), "--formats", "flo", "--both", "--out", str(tmp_path / "flow")]
        )
        == 0
    )
    model, frames = tfflow.load(trained), [read_image(p)[None] for p in sorted(clip.glob("*.png"))]
    forward = sorted((tmp_path / "flow" / "flo").glob("*.flo"))
    assert len(forward) == len(list((tmp_path / "flow" / "flo_back").glob("*.flo"))) == 3
    for k, path in enumerate(forward):
        expected = model.both(frames[k], frames[k + 1], frames[max(0, k - 1)], frames[min(3, k + 2)])[0][0]
        np.testing.assert_allclose(read_flow(path)[0], expected, atol=1e-5)
    assert np.abs(model.batch(frames[1], frames[2]) - model.batch(frames[1], frames[2], frames[0])).max() > 1e-4


class Four(Constant):
    """Notes the mean grey of every frame that it is shown."""

    frames = 3

    def both(self, *images):
        self.boths.append([round(float(255 * x[..., -1, -1, 0].mean()) / 20) for x in images])
        return super().batch(*images[:2]), super().batch(*images[:2])

    def batch(self, *images):
        self.batches.append([round(float(255 * x[..., -1, -1, 0].mean()) / 20) for x in images])
        return np.zeros((*images[0].shape[:3], 2), np.float32)


def test_a_video_is_read_once_with_its_neighbours(tmp_path):
    """Frames as 1, 2, 0, 3: the first pair's past and the last one's future are its own frames."""
    frames, net = open_inputs([str(trees.video(tmp_path / "v.avi", 5))]), Four()
    names = [p.name for p in predict_all(net, frames, both=True)]
    assert names == [f"frame_{k:06d}" for k in (1, 2, 3, 4)]
    assert net.boths == [[0, 1, 0, 2], [1, 2, 0, 3], [2, 3, 1, 4], [3, 4, 2, 4]]
    net = Four()
    assert len(list(predict_all(refined(net, "variational"), frames))) == 4
    assert net.batches == [[0, 1, 0], [1, 2, 0], [2, 3, 1], [3, 4, 2]]


def test_a_network_of_two_frames_is_shown_two(tmp_path):
    frames, net = open_inputs([str(trees.video(tmp_path / "v.avi", 3))]), Four()
    net.frames = 2
    list(predict_all(net, frames))
    assert net.batches == [[0, 1], [1, 2]]


def test_measuring_gives_three_frames_to_the_network_that_takes_them(trained):
    scenes, network = Scenes((32, 40), 2, seed=4), tfflow.load(trained)
    results = scoring.run({"three": network, "constant": Constant(1.0)}, scenes)
    errors = []
    for sample in map(scenes.with_neighbours().sample, range(2)):
        images = [sample[f"image{k}"][None] for k in (1, 2, 0, 3)]
        errors.append(np.linalg.norm(network.both(*images)[0][0] - sample["flow12"], axis=-1).mean())
    found = results["three"].summary()["mean_over_images"]["epe"]
    assert found == pytest.approx(np.mean(errors), rel=1e-4)
    assert results["constant"].summary()["images"] == 2


def test_the_command_measures_it_on_scenes_and_pairs(trained, tmp_path, capsys):
    trees.chairs(tmp_path / "chairs")
    code = evaluate.main(
        ["--weights", str(trained), "--data", "scenes:size=32x40,count=2", "--data", f"chairs:{tmp_path / 'chairs'}"]
    )
    assert code == 0 and "EPE" in capsys.readouterr().out
    assert isinstance(tfflow.load(trained), FlowModel)


def test_a_video_that_stops_gives_all_its_pairs_before_it_is_refused(tmp_path, monkeypatch):
    def two_then_refused(path, on_error):
        yield from ((k + 1, np.full((16, 16, 3), k / 10, np.float32)) for k in range(3))
        raise InputError("it stops")

    frames, net = open_inputs([str(trees.video(tmp_path / "v.avi", 3))]), Four()
    monkeypatch.setattr(prediction, "numbered_frames", two_then_refused)
    with pytest.raises(InputError, match=r"^it stops$"):
        list(predict_all(net, frames))
    assert len(net.batches) == 2
