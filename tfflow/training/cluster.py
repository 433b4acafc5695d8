"""The machines of a run: reads TF_CONFIG, waits for the machines, and checks that all of them start alike."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfflow.errors import InputError
from tfflow.limits import parse_json
from tfflow.messages import inform

ROLES = ("chief", "worker")
"""Tasks that train, in TensorFlow's order. The first of them writes the files."""

ANNOUNCED, GIVEN_UP = 10.0, 300.0
"""Seconds until a missing machine is reported, and until the run is given up."""

DIGEST = 8
"""Number of bytes of a step or a digest that the machines compare."""


@dataclass(frozen=True)
class Cluster:
    """addresses: "host:port" of every machine; the first one writes. index: that of this machine."""

    addresses: tuple[str, ...]
    index: int


def read_cluster(text: str | None) -> Cluster | None:
    """The cluster of a TF_CONFIG; None if there is none.

    Raises InputError if it cannot be read, or names a task that does not train.
    """
    if not text:
        return None
    try:
        config = parse_json(text)
    except ValueError:
        raise _malformed("it is no JSON") from None
    cluster, task = (config.get(key) if isinstance(config, dict) else None for key in ("cluster", "task"))
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise _malformed("`cluster` or `task` is missing")
    if strange := [role for role, hosts in cluster.items() if role not in ROLES and hosts]:
        raise _malformed(f"a task {strange[0]!r} does not train; name only {' and '.join(ROLES)}")
    hosts = {role: cluster.get(role, []) for role in ROLES}
    for role, addresses in hosts.items():
        if not isinstance(addresses, list) or not all(isinstance(a, str) and _parts(a) for a in addresses):
            raise _malformed(f"cluster.{role} must be a list of addresses such as 'host:2222'")
    if len(hosts["chief"]) > 1:
        raise _malformed(f"a cluster has one chief, got {len(hosts['chief'])}")
    every = [*hosts["chief"], *hosts["worker"]]
    if len(set(every)) < len(every):
        raise _malformed("an address is named twice")
    kind, index = task.get("type"), task.get("index")
    if kind not in ROLES or type(index) is not int or not 0 <= index < len(hosts[kind]):
        raise _malformed(f"task {kind!r} {index!r} is none of {_counted(hosts)}")
    return Cluster(tuple(every), index + (len(hosts["chief"]) if kind == "worker" else 0))


def _malformed(problem: str) -> InputError:
    example = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
    return InputError(f"TF_CONFIG must be such as {example}: {problem[:120]}")


def _counted(hosts: Mapping[str, list]) -> str:
    return ", ".join(f"{role} 0 to {len(hosts[role]) - 1}" for role in ROLES if hosts[role]) or "no tasks at all"


def _parts(address: str) -> tuple[str, int] | None:
    """Host and port of an address; None if it is malformed."""
    match = re.fullmatch(r"\[?([^\s\[\]]+?)\]?:(\d{1,5})", address, re.ASCII)
    return (match[1], int(match[2])) if match and 0 < int(match[2]) < 65536 else None


def wait_for_machines(cluster: Cluster, announced: float = ANNOUNCED, given_up: float = GIVEN_UP) -> None:
    """Waits until every machine answers at its address. This machine answers at its own.

    TensorFlow itself waits for ever, without a message. Raises InputError after `given_up` seconds.
    """
    missing = [i for i in range(len(cluster.addresses)) if i != cluster.index]
    start, silent = time.monotonic(), True
    with _answering(cluster.addresses[cluster.index]):
        while True:
            missing = [i for i in missing if not _reached(cluster.addresses[i])]
            if not missing:
                return
            names = ", ".join(f"machine {i} ({cluster.addresses[i]})" for i in missing[:3])
            waited = time.monotonic() - start
            if waited > given_up:
                raise InputError(
                    f"{names} did not come within {given_up:g} s: start the same command there, with its own "
                    "task.index in TF_CONFIG, or check the addresses"
                )
            if silent and waited > announced:
                silent = False
                inform(f"waiting for {names}; given up after {given_up:g} s")
            time.sleep(min(0.2, announced))


@contextlib.contextmanager
def _answering(address: str) -> Iterator[None]:
    """Listens at the port of `address`, which TensorFlow uses afterwards."""
    _, port = _parts(address) or ("", 0)
    both = socket.has_dualstack_ipv6()
    try:
        server = socket.create_server(
            ("", port), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both
        )
    except OSError as error:
        raise InputError(
            f"this machine cannot listen at port {port} of TF_CONFIG ({error.strerror}): choose a free port"
        ) from None
    with server:
        yield


def _reached(address: str) -> bool:
    try:
        socket.create_connection(_parts(address) or ("", 0), timeout=2).close()
    except OSError:
        return False
    return True


def machines_of(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """(number of machines, index of this one)."""
    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver is None:
        return 1, 0
    hosts = resolver.cluster_spec().as_dict()
    chiefs = len(hosts.get("chief", []))
    return chiefs + len(hosts.get("worker", [])), resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)


def check_agreement(strategy: tf.distribute.Strategy, step: int, facts: Mapping[str, str]) -> None:
    """Raises InputError on every machine unless all have the same step and the same facts. It names what differs."""
    machines, index = machines_of(strategy)
    if machines == 1:
        return
    row = [*step.to_bytes(DIGEST, "big"), *(b for fact in facts.values() for b in _digest(fact))]
    table = _gathered(strategy, np.array(row, np.float32), machines, index)
    steps = [int.from_bytes(bytes(line[:DIGEST]), "big") for line in table]
    for other in range(1, machines):
        if steps[other] != steps[0]:
            what = f"machine {other} is at step {steps[other]}, machine 0 at step {steps[0]}"
        elif differing := [
            name
            for place, name in enumerate(facts, 1)
            if (table[other] != table[0])[place * DIGEST : (place + 1) * DIGEST].any()
        ]:
            what = f"machines 0 and {other} differ in {', '.join(differing)}"
        else:
            continue
        raise InputError(
            f"{what}: nothing was trained. Give all machines the same command, and the same `out` on a disk that "
            "they share"
        )


def _digest(fact: str) -> bytes:
    return hashlib.sha256(fact.encode("utf-8", "surrogateescape")).digest()[:DIGEST]


def _gathered(strategy: tf.distribute.Strategy, row: np.ndarray, machines: int, index: int) -> np.ndarray:
    """The rows of all machines, [machines, n] uint8."""
    mine = np.zeros([machines, len(row)], np.float32)
    mine[index] = row / (strategy.num_replicas_in_sync // machines)  # each replica of this machine adds it

    def on_replica(x):
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(x))

    total = tf.function(lambda x: strategy.run(on_replica, (x,)), autograph=False)(tf.constant(mine))
    return np.rint(strategy.experimental_local_results(total)[0]).astype(np.uint8)
