"""Where training runs: one device, all GPUs of a machine, or several machines."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from tfflow.errors import InputError


def choose_strategy(devices: str = "auto") -> tf.distribute.Strategy:
    """The tf.distribute strategy for `devices`.

    "auto": several machines where TF_CONFIG describes them, else all GPUs, else the CPU.
    Otherwise a list: "GPU:0,GPU:1", or "CPU:2" for two logical devices on the CPU.
    Raises InputError where a device does not exist or TF_CONFIG cannot be read.
    """
    if devices == "auto" and os.environ.get("TF_CONFIG"):
        try:
            config = json.loads(os.environ["TF_CONFIG"])
            workers = config["cluster"]["worker"]
            config["task"]["index"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"TF_CONFIG must be JSON with cluster.worker (addresses) and task.type, task.index: {error!r}"
            ) from None
        if len(workers) > 1:
            return tf.distribute.MultiWorkerMirroredStrategy()
    if devices == "auto":
        gpus = [f"GPU:{i}" for i in range(len(tf.config.list_physical_devices("GPU")))]
        names = gpus or ["CPU:0"]
    elif devices.upper().startswith("CPU:") and devices[4:].isdigit() and int(devices[4:]) > 0:
        names = _logical_cpus(int(devices[4:]))
    else:
        names = [d.strip().upper() for d in devices.split(",")]
    known = [d.name.removeprefix("/device:") for d in tf.config.list_logical_devices() if "XLA" not in d.name]
    missing = [n for n in names if n not in known]
    if missing:
        raise InputError(f"--devices {devices}: no {', '.join(missing)} here; this machine has {', '.join(known)}")
    return tf.distribute.OneDeviceStrategy(names[0]) if len(names) == 1 else tf.distribute.MirroredStrategy(names)


def worker_of(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """(number of machines, index of this one)."""
    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) or resolver is None:
        return 1, 0
    return len(resolver.cluster_spec().as_dict()["worker"]), resolver.task_id


def _logical_cpus(count: int) -> list[str]:
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except (RuntimeError, ValueError) as error:
        if len(tf.config.list_logical_devices("CPU")) != count:
            raise InputError(f"--devices CPU:{count}: TensorFlow already runs with other devices ({error})") from None
    return [f"CPU:{i}" for i in range(count)]
