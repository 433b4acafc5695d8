"""`python -m tfflow.benchmark`, whole."""

from __future__ import annotations

import json

from tests.data import trees
from tfflow.commands.benchmark import main
from tfflow.models import VARIANTS


def test_the_command_measures_a_network_and_its_data(tmp_path, capsys):
    out = tmp_path / "speed.json"
    assert main(["--models", "spynet_mobile", "--quick", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for text in (
        "GFLOP/s",
        "a multiply-add is 2 FLOPs",
        "spynet_mobile",
        "339,500",
        "training step, 4x192x256",
        "chairs",
    ):
        assert text in shown
    results = json.loads(out.read_text())
    network = results["networks"]["spynet_mobile"]
    assert network["parameters"] == VARIANTS["spynet_mobile"].parameters
    # 448x1024 is padded to nothing more: four times the pixels of 256x448
    assert network["forward_flops"]["448x1024"] == 4 * network["forward_flops"]["256x448"]
    # three passes over eight directions of 192x256
    assert network["step_flops"] == 3 * 8 * network["forward_flops"]["256x448"] * (192 * 256) // (256 * 448)
    assert network["step_seconds"] > network["forward_seconds"]["256x448"] > 0
    assert network["step_seconds_bfloat16"] > network["forward_seconds"]["256x448"]
    assert "step_seconds_xla" not in network
    assert len(results["samples_per_second"]) == 2 and min(results["samples_per_second"].values()) > 0
    assert results["matmul"]["flops_per_second"] > 1e8


def test_bad_arguments_end_with_one_line(tmp_path, capsys):
    assert main(["--models", "spynt"]) == 2
    assert "unknown model 'spynt': did you mean spynet" in capsys.readouterr().err
    assert main(["--out", str(tmp_path)]) == 2
    assert "--out must be a file" in capsys.readouterr().err
    assert main(["--data", "chairs:" + str(tmp_path / "no")]) == 2
    assert "tfflow:" in capsys.readouterr().err


def test_a_video_is_timed_beside_dis_and_so_is_a_new_process(tmp_path, capsys):
    trees.video(tmp_path / "clip.mp4", count=4, code="mp4v")
    out = tmp_path / "speed.json"
    arguments = ["--weights", "spynet_mobile", "--pairs", "2", "--out", str(out)]
    assert main(["--video", str(tmp_path / "clip.mp4"), *arguments]) == 0
    network, dis = (json.loads(out.read_text())["videos"][name] for name in ("spynet_mobile", "DIS medium"))
    assert set(dis) == {"clip.mp4, 2 pairs/s"} == set(network) - {"one pair, new process, s"}
    assert min(*network.values(), *dis.values()) > 0
    assert "DIS medium" in capsys.readouterr().out
    assert main(["--video", str(tmp_path / "clip.mp4"), "--pairs", "0"]) == 2
    assert "--pairs must be at least 1, got 0" in capsys.readouterr().err
