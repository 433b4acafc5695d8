"""Several machines: all that TF_CONFIG names count or are refused, are waited for with an end, and begin alike."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from tests.training.test_replicas import free_ports
from tests.training.tiny import finish, start
from tfflow.errors import InputError
from tfflow.training.cluster import Cluster, read_cluster, wait_for_machines
from tfflow.training.strategy import choose_strategy

pytestmark = pytest.mark.usefixtures("as_command")


def config(kind="worker", index=0, **cluster) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_a_chief_and_its_workers_are_one_cluster():
    hosts = {"chief": ["a:1"], "worker": ["b:2", "[::1]:3"]}
    assert read_cluster(config("chief", 0, **hosts)) == Cluster(("a:1", "b:2", "[::1]:3"), 0)
    assert read_cluster(config("worker", 1, **hosts)) == Cluster(("a:1", "b:2", "[::1]:3"), 2)
    assert read_cluster(config("worker", 1, worker=["a:1", "b:2"], ps=[])) == Cluster(("a:1", "b:2"), 1)
    assert read_cluster(None) is None and read_cluster("") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "`cluster` or `task` is missing"),
        ('{"cluster": {"worker": ["a:1"]}}', "`cluster` or `task` is missing"),
        (config(worker=["a:1"], ps=["b:2"]), "a task 'ps' does not train; name only chief and worker"),
        (config(worker=["a:1"], evaluator=["b:2"]), "a task 'evaluator' does not train"),
        (config(worker=["a:1", "b"]), "cluster.worker must be a list of addresses such as 'host:2222'"),
        (config(worker=["a:1", "b:٢"]), "cluster.worker must be a list of addresses"),
        (config(worker=["a:1", "b:99999"]), "cluster.worker must be a list of addresses"),
        (config(worker="a:1"), "cluster.worker must be a list of addresses"),
        (config(worker={"0": "a:1"}), "cluster.worker must be a list of addresses"),
        (config(worker=["a:1", "a:1"]), "an address is named twice"),
        (config(chief=["a:1", "b:2"]), "a cluster has one chief, got 2"),
        (config(index=2, worker=["a:1", "b:2"]), "task 'worker' 2 is none of worker 0 to 1"),
        (config(index="0", worker=["a:1"]), "task 'worker' '0' is none of worker 0 to 0"),
        (config(index=True, worker=["a:1", "b:2"]), "task 'worker' True is none of"),
        (config("evaluator", worker=["a:1"]), "task 'evaluator' 0 is none of worker 0 to 0"),
        (config(), "task 'worker' 0 is none of no tasks at all"),
    ],
)  # fmt: skip
def test_a_cluster_that_cannot_be_read_or_counted_is_refused_in_a_line(text, problem, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r"^TF_CONFIG must be such as \{") as error:
        choose_strategy("auto")
    assert problem in str(error.value) and len(str(error.value)) < 290 and "\n" not in str(error.value)


def test_devices_of_one_machine_and_a_cluster_exclude_each_other(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config(worker=["127.0.0.1:1", "127.0.0.1:2"]))
    with pytest.raises(InputError, match=r"^`devices` CPU:1 is for one machine, and TF_CONFIG names 2: leave one out$"):
        choose_strategy("CPU:1")


def test_a_cluster_of_one_machine_is_that_machine(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config("chief", chief=["127.0.0.1:1"]))
    assert choose_strategy("auto").num_replicas_in_sync == 1


def test_a_machine_that_does_not_come_is_announced_and_given_up(capsys):
    here, gone = (f"127.0.0.1:{port}" for port in free_ports(2))
    with pytest.raises(InputError, match=rf"^machine 0 \({gone}\) did not come within 0\.3 s: start the same command"):
        wait_for_machines(Cluster((gone, here), 1), announced=0.1, given_up=0.3)
    assert capsys.readouterr().err == f"tfflow: waiting for machine 0 ({gone}); given up after 0.3 s\n"


def test_machines_that_come_meet_in_silence(capsys):
    ports = free_ports(2)
    addresses, met, over = tuple(f"127.0.0.1:{port}" for port in ports), [], threading.Event()

    def come(index):
        wait_for_machines(Cluster(addresses, index), given_up=20)
        with socket.create_server(("", ports[index])):  # as TensorFlow does next
            met.append(index)
            over.wait(20)

    others = [threading.Thread(target=come, args=(index,)) for index in (0, 1)]
    for thread in others:
        thread.start()
    while len(met) < 2 and any(thread.is_alive() for thread in others):
        time.sleep(0.01)
    over.set()
    for thread in others:
        thread.join()
    assert sorted(met) == [0, 1] and capsys.readouterr().err == ""


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(InputError, match=rf"^this machine cannot listen at port {port} of TF_CONFIG"):
            wait_for_machines(Cluster((f"127.0.0.1:{port}", "127.0.0.1:1"), 0))


def test_chief_and_worker_begin_together_where_they_agree_and_else_say_in_what_they_differ():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    hosts = {"chief": addresses[:1], "worker": addresses[1:]}
    parts = {
        "chief": "60 recipe=r state=s / 60 recipe=r state=s / 60 recipe=r state=s",
        "worker": "60 recipe=r state=s / 0 recipe=r state=s / 60 recipe=x state=y",
    }
    processes = [
        start(facts, module="tests.training.agreement", TF_CONFIG=config(kind, 0, **hosts))
        for kind, facts in parts.items()
    ]
    ends = [finish(process, 120) for process in processes]
    for number, (code, out, err) in enumerate(ends):
        assert code == 0, err
        whole = (
            ": nothing was trained. Give all machines the same command, and the same `out` on a disk that they share"
        )
        assert out.splitlines() == [
            f"machine {number} of 2",
            "agreed",
            f"machine 1 is at step 0, machine 0 at step 60{whole}",
            f"machines 0 and 1 differ in recipe, state{whole}",
        ]
