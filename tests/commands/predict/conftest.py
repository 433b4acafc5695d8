"""What the tests of `tfflow predict` share: a network whose flow is known, frames, a video."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import tfflow.commands.predict
from tests.evaluation.fakes import noise
from tfflow.data.images import write_image


class Net:
    """Its flow depends on both frames, so that a mixed-up pair or batch shows."""

    name = "net"

    def batch(self, images1, images2):
        self.calls = [*getattr(self, "calls", []), images1.shape]
        means = [10 * images.mean((1, 2))[:, None, None, :1] for images in (images1, images2)]
        return np.concatenate(means, -1) * np.ones((*images1.shape[:3], 2), np.float32)

    def both(self, images1, images2):
        return self.batch(images1, images2), self.batch(images2, images1)


@pytest.fixture(autouse=True)
def net(monkeypatch):
    net = Net()
    monkeypatch.setattr("tfflow.models.load", lambda weights, scales: net)
    return net


def frame(n, h=40, w=64):
    """Brighter with n; 8-bit levels."""
    return (np.full((h, w, 3), 20 * n) + 10 * noise(n, h, w)).astype(np.uint8)


def flow_of(n, m):
    """What `Net` says of frames n and m."""
    return [10 * np.float32(frame(k) / 255)[..., 0].mean() for k in (n, m)]


@pytest.fixture
def clip(tmp_path):
    for n in range(1, 6):
        write_image(tmp_path / "clip" / f"{n:03d}.png", frame(n))
    return tmp_path / "clip"


@pytest.fixture
def video(tmp_path):
    return film(tmp_path / "holiday.avi", 9)


def film(path, count):
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (64, 40))
    for n in range(1, count + 1):
        writer.write(frame(n % 12))
    writer.release()
    return path


def run(*arguments):
    return tfflow.commands.predict.main([str(a) for a in arguments])


def files(out):
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("tfflow: ")]
