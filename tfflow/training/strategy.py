"""Where training runs: one device, all GPUs of a machine, or several machines."""

from __future__ import annotations

import os

import tensorflow as tf

from tfflow.errors import InputError
from tfflow.training.cluster import Cluster, read_cluster, wait_for_machines


def choose_strategy(devices: str = "auto") -> tf.distribute.Strategy:
    """The tf.distribute strategy for `devices`.

    "auto": the machines that TF_CONFIG describes, else all GPUs, else the CPU.
    Otherwise a list: "GPU:0,GPU:1", or "CPU:2" for two logical devices on the CPU.
    Raises InputError if a device does not exist, TF_CONFIG cannot be read, or another machine does not answer.
    """
    cluster = read_cluster(os.environ.get("TF_CONFIG"))
    if cluster and len(cluster.addresses) > 1:
        if devices != "auto":
            raise InputError(
                f"`devices` {devices} is for one machine, and TF_CONFIG names {len(cluster.addresses)}: leave one out"
            )
        return _machines(cluster)
    if devices == "auto":
        gpus = [f"GPU:{i}" for i in range(len(tf.config.list_physical_devices("GPU")))]
        names = gpus or ["CPU:0"]
    elif devices.upper().startswith("CPU:") and devices[4:].isdecimal() and 0 < int(devices[4:]) <= MOST_CPUS:
        names = _logical_cpus(int(devices[4:]))
    else:
        names = [d.strip().upper() for d in devices.split(",")]
    known = [d.name.removeprefix("/device:") for d in tf.config.list_logical_devices() if "XLA" not in d.name]
    missing = [n for n in names if n not in known]
    if missing:
        raise InputError(f"`devices` {devices}: no {', '.join(missing)} here; this machine has {', '.join(known)}")
    return tf.distribute.OneDeviceStrategy(names[0]) if len(names) == 1 else tf.distribute.MirroredStrategy(names)


MOST_CPUS = 256
"""Largest number of logical devices of one CPU. Each has threads of its own."""


def _machines(cluster: Cluster) -> tf.distribute.Strategy:
    wait_for_machines(cluster)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"the machines of TF_CONFIG cannot be joined ({first[:160]}): check the addresses") from None


def _logical_cpus(count: int) -> list[str]:
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except (RuntimeError, ValueError) as error:
        if len(tf.config.list_logical_devices("CPU")) != count:
            raise InputError(f"`devices` CPU:{count}: TensorFlow already runs with other devices ({error})") from None
    return [f"CPU:{i}" for i in range(count)]
