"""Tiny data sets in the official layouts, a tiny video, and damage done to files. Written without tfflow's writers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

HEIGHT, WIDTH = 6, 10


def picture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """uint8 RGB noise."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramp_flow(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A flow whose every value is another, a multiple of 1/64 (so that KITTI's PNG holds it exactly)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x + seed + y / 64, -3 * y - x / 32], axis=2).astype(np.float32)


def put_image(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rgb[:, :, ::-1] if rgb.ndim == 3 else rgb)
    return path


def put_flo(path: Path, flow: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = flow.shape[:2]
    path.write_bytes(struct.pack("<fii", 202021.25, width, height) + flow.astype("<f4").tobytes())
    return path


def put_kitti(path: Path, flow: np.ndarray, valid: np.ndarray) -> Path:
    coded = np.concatenate([flow * 64 + 32768, np.ones_like(valid)], axis=2) * valid
    return put_image(path, coded.astype(np.uint16))


def half_mask() -> np.ndarray:
    """uint8 [h, w]: the left three columns are white."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, :3] = 255
    return mask


def chairs(root: Path, count: int = 3, extras: bool = False) -> Path:
    for i in range(1, count + 1):
        stem = root / "data" / f"{i:05d}"
        put_image(Path(f"{stem}_img1.ppm"), picture(i))
        put_image(Path(f"{stem}_img2.ppm"), picture(100 + i))
        put_flo(Path(f"{stem}_flow.flo"), ramp_flow(i))
        if extras:
            put_flo(Path(f"{stem}_flow21.flo"), -ramp_flow(i))
            put_image(Path(f"{stem}_occ1.png"), half_mask())
            put_image(Path(f"{stem}_occ2.png"), half_mask()[:, ::-1])
    return root


def sintel(root: Path, half: str = "training") -> Path:
    for scene, numbers in (("alley_1", (1, 2, 3)), ("cave_2", (4, 5, 7))):
        for k in numbers:
            for rendering in ("clean", "final"):
                put_image(
                    root / half / rendering / scene / f"frame_{k:04d}.png", picture(k + 50 * (rendering == "final"))
                )
            if half == "training":
                put_flo(root / half / "flow" / scene / f"frame_{k:04d}.flo", ramp_flow(k))
                put_image(root / half / "occlusions" / scene / f"frame_{k:04d}.png", half_mask())
                put_image(root / half / "invalid" / scene / f"frame_{k:04d}.png", half_mask().T.copy().reshape(6, 10))
    return root


def kitti(root: Path, images: str = "image_2", frames: tuple[int, ...] = (10, 11), half: str = "training") -> Path:
    for scene in range(2):
        for k in frames:
            put_image(root / half / images / f"{scene:06d}_{k:02d}.png", picture(30 * scene + k))
        if half == "training":
            valid = np.ones((HEIGHT, WIDTH, 1), np.float32)
            valid[:2] = 0
            put_kitti(root / half / "flow_occ" / f"{scene:06d}_10.png", ramp_flow(scene), valid)
            valid = valid.copy()
            valid[:, :4] = 0
            put_kitti(root / half / "flow_noc" / f"{scene:06d}_10.png", ramp_flow(scene), valid)
    return root


def middlebury(root: Path) -> Path:
    for scene in ("Grove2", "Walking"):
        for k in (10, 11):
            put_image(root / "other-data" / scene / f"frame{k}.png", picture(k))
    flow = ramp_flow()
    flow[2, 3] = 1.7e9
    put_flo(root / "other-gt-flow" / "Grove2" / "flow10.flo", flow)
    return root


def put_pfm(path: Path, flow: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = flow.shape[:2]
    values = np.concatenate([flow, np.zeros_like(flow[:, :, :1])], 2)[::-1]
    path.write_bytes(f"PF\n{width} {height}\n-1\n".encode() + values.astype("<f4").tobytes())
    return path


def put_flo5(path: Path, flow: np.ndarray) -> Path:
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset("flow", data=flow, compression="gzip", compression_opts=5)
    return path


def things(root: Path, part: str = "TRAIN") -> Path:
    for rendering, more in (("clean", 0), ("final", 50)):
        for side, letter in (("left", "L"), ("right", "R")):
            for k in (6, 7, 8):
                folder = root / f"frames_{rendering}pass" / part / "A" / "0000"
                put_image(folder / side / f"{k:04d}.png", picture(k + 10 * (side == "right") + more))
                for into, sign in (("Future", 1), ("Past", -1)):
                    flow = root / "optical_flow" / part / "A" / "0000" / f"into_{into.lower()}" / side
                    put_pfm(flow / f"OpticalFlowInto{into}_{k:04d}_{letter}.pfm", sign * ramp_flow(k))
    return root


def hd1k(root: Path) -> Path:
    valid = np.ones((HEIGHT, WIDTH, 1), np.float32)
    valid[:2] = 0
    for sequence in (0, 3):
        for k in (5, 6, 7):
            put_image(root / "hd1k_input" / "image_2" / f"{sequence:06d}_{k:04d}.png", picture(sequence + k))
            if k < 7:
                put_kitti(root / "hd1k_flow_gt" / "flow_occ" / f"{sequence:06d}_{k:04d}.png", ramp_flow(k), valid)
    return root


def spring(root: Path, part: str = "train") -> Path:
    """Of each 2 x 2 values of the flow three are of another surface."""
    for side in ("left", "right"):
        for k in (1, 2, 3):
            put_image(root / part / "0001" / f"frame_{side}" / f"frame_{side}_{k:04d}.png", picture(k))
            for way, sign, there in (("FW", 1, k < 3), ("BW", -1, k > 1)):
                if there and part == "train":
                    flow = np.full((2 * HEIGHT, 2 * WIDTH, 2), 99, np.float32)
                    flow[::2, ::2] = sign * ramp_flow(k)
                    flow[2, 4] = np.nan
                    put_flo5(root / part / "0001" / f"flow_{way}_{side}" / f"flow_{way}_{side}_{k:04d}.flo5", flow)
    return root


def viper(root: Path, part: str = "train") -> Path:
    """Frame 4 of the second sequence is not there, and of the flow one value of u is infinite."""
    for sequence, numbers in (("001", (1, 2, 3)), ("077", (3, 5, 6))):
        for k in numbers:
            put_image(root / part / "img" / sequence / f"{sequence}_{k:05d}.png", picture(k))
            for folder, sign in (("flow", 1), ("flowbw", -1)):
                flow = sign * ramp_flow(k).astype(np.float16)
                flow[1, 2, 0] = np.inf
                path = root / part / folder / sequence / f"{sequence}_{k:05d}.npz"
                path.parent.mkdir(parents=True, exist_ok=True)
                if part != "test":
                    np.savez_compressed(path, u=flow[..., 0], v=flow[..., 1])
    return root


def pairs(root: Path) -> Path:
    """A list of three pairs; their flows are .flo, .pfm and .npy."""
    lines = ["# frames of two cameras", ""]
    for k, put in enumerate((put_flo, put_pfm, np.save)):
        suffix = (".flo", ".pfm", ".npy")[k]
        put_image(root / "cam a" / f"{k}.png", picture(k))
        put_image(root / "b" / f"{k}.jpg", picture(k))
        put(root / f"{k}{suffix}", ramp_flow(k))
        lines.append(f"'cam a/{k}.png' b/{k}.jpg {k}{suffix}  # pair {k}")
    (root / "list.txt").write_text("\n".join(lines))
    return root / "list.txt"


def frames(root: Path, count: int = 3, suffix: str = ".png") -> Path:
    for k in range(count):
        put_image(root / f"f{8 + k}{suffix}", picture(k))
    return root


def video(path: Path, count: int = 8, code: str = "MJPG", height: int = 32, width: int = 48) -> Path:
    """Frame k is grey of value 20 k (mod 240) with a white square that is k px from the left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), 10, (width, height))
    assert writer.isOpened()
    for k in range(count):
        frame = np.full((height, width, 3), 20 * k % 240, np.uint8)
        frame[8:16, k : k + 8] = 255
        writer.write(frame)
    writer.release()
    return path


def film(path: Path, frames: list[np.ndarray], codec: str = "libx264", rate: int = 10, **options: str) -> Path:
    """A video of these frames, uint8 RGB of one size with even sides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"crf": "12"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def coded_video(
    path: Path, codec: str, count: int = 20, height: int = 48, width: int = 64, pixels: str = "yuv420p", **options: str
) -> list[np.ndarray]:
    """A smooth picture that moves by (3, 2) px a frame, coded by FFmpeg's `codec`; gives back its frames, uint8 RGB."""
    random = np.random.default_rng(3).integers(0, 256, (14, 20, 3), dtype=np.uint8)
    picture = cv2.resize(random, (width + 3 * count, height + 2 * count), interpolation=cv2.INTER_CUBIC)
    frames = [picture[2 * k :, 3 * k :][:height, :width] for k in reversed(range(count))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return frames


def mutated(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` damaged copies: cut, bits flipped, a header byte changed, bytes inserted, removed, extreme numbers."""
    rng = np.random.default_rng(seed)
    extremes = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\0\0\xc0\x7f")
    for i in range(count):
        damaged = bytearray(data)
        place = int(rng.integers(len(data)))
        match i % 7:
            case 0:
                del damaged[place:]
            case 1:
                for _ in range(int(rng.integers(1, 9))):
                    damaged[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
            case 2:
                damaged[place % 64 % len(data)] = int(rng.integers(256))
            case 3:
                damaged[place:place] = rng.bytes(int(rng.integers(1, 40)))
            case 4:
                del damaged[place : place + int(rng.integers(1, 40))]
            case 5:
                place = place % 32
                damaged[place : place + 4] = extremes[int(rng.integers(len(extremes)))]
            case 6:
                damaged[place : place + 4] = extremes[int(rng.integers(len(extremes)))]
        yield bytes(damaged)
