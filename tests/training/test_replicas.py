"""One device, two devices of a machine, and two machines give the same gradients and the same weights."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from tests.training.replicas import RECIPE
from tests.training.runs import first_weights, largest_difference, weights
from tests.training.tiny import finish, start
from tfflow.errors import InputError
from tfflow.training.cluster import machines_of
from tfflow.training.strategy import choose_strategy

MODULE = "tests.training.replicas"


@pytest.fixture(scope="module")
def runs_of(tmp_path_factory):
    """Folder by way of running: one device, two logical devices, two processes over loopback."""
    root = tmp_path_factory.mktemp("replicas")
    names = ("one", "devices", "machines")
    processes = [start("CPU:0", root / "one", module=MODULE), start("CPU:2", root / "devices", module=MODULE)]
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        processes.append(start("auto", root / "machines", module=MODULE, TF_CONFIG=json.dumps(config)))
    ends = [finish(process) for process in processes]
    for code, out, err in ends:
        assert code == 0, f"{out}\n{err[-3000:]}"
    replicas = [out.splitlines()[0] for _, out, _ in ends]
    assert replicas == [
        "1 replicas, machine 0 of 1", "2 replicas, machine 0 of 1",
        "2 replicas, machine 0 of 2", "2 replicas, machine 1 of 2",
    ]  # fmt: skip
    return {name: root / name for name in names}


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.mark.parametrize("way", ["devices", "machines"])
def test_two_replicas_give_the_gradients_and_weights_of_one(runs_of, way):
    """The first gradient of a census and of a distillation phase, and the weights after both."""
    gradients = [dict(np.load(runs_of[name] / "gradients.npz")) for name in ("one", way)]
    assert len({name.partition("/")[0] for name in gradients[0]}) == 2
    largest = max(float(np.abs(g).max()) for g in gradients[0].values())
    of_gradients = largest_difference(*gradients)
    of_weights = largest_difference(weights(runs_of["one"]), weights(runs_of[way]))
    moved = largest_difference(first_weights(RECIPE), weights(runs_of["one"]))
    print(
        f"{way}: largest difference of gradients {of_gradients:.2g} (of {largest:.2g}), "
        f"of weights {of_weights:.2g} (moved by {moved:.2g})"
    )
    assert of_gradients < 1e-4 * largest and largest > 1e-2
    assert of_weights < 5e-5 and moved > 1e-3  # Adam enlarges what differs in small gradients


def test_the_losses_are_those_of_the_whole_batch(runs_of):
    rows = {name: [json.loads(x) for x in (path / "history.jsonl").open()] for name, path in runs_of.items()}
    for way in ("devices", "machines"):
        assert [row["step"] for row in rows[way]] == [1, 2, 3, 4]
        for a, b in zip(rows["one"], rows[way], strict=True):
            assert a.keys() == b.keys() and a["phase"] == b["phase"]
            for key in a.keys() - {"phase"}:
                assert a[key] == pytest.approx(b[key], rel=1e-4, abs=1e-6), key


def test_two_replicas_update_by_muon_as_one(tmp_path):
    ways = {"one": "CPU:0", "devices": "CPU:2"}
    for process in [start(device, tmp_path / name, "muon", module=MODULE) for name, device in ways.items()]:
        code, out, err = finish(process)
        assert code == 0, f"{out}\n{err[-3000:]}"
    difference = largest_difference(*(weights(tmp_path / name) for name in ways))
    moved = largest_difference(first_weights(RECIPE), weights(tmp_path / "one"))
    print(f"largest difference of weights {difference:.2g} (moved by {moved:.2g})")
    assert difference < 1e-3 * moved and moved > 5e-4


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(InputError, match=r"^`devices` TPU:3: no TPU:3 here; this machine has CPU:0"):
        choose_strategy("TPU:3")


def test_one_device_is_one_machine():
    strategy = choose_strategy("CPU:1")
    assert strategy.num_replicas_in_sync == 1 and machines_of(strategy) == (1, 0)
    assert choose_strategy("cpu:0").num_replicas_in_sync == 1
