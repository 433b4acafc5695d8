"""Named settings of scenes: `scenes:preset=mixed`."""

from __future__ import annotations

from tfflow.data.scenes.settings import SceneSettings
from tfflow.errors import unknown_name

MOTION = SceneSettings(drive=0.22, bending=0.25, fast=0.2, pan=0.08, still=0.04, pace=(0.25, 1.5))
"""For training: of ten scenes, about four have affine layers alone, two bend, two have a camera that moves through
depth, and two have fast objects. Some are still."""

MIXED = SceneSettings(
    drive=0.22, bending=0.25, fast=0.2, pan=0.08, still=0.04, pace=(0.25, 1.5),
    fog=0.06, shadows=0.2, highlights=0.1, path_blur=0.06, dark=0.04, jpeg=0.1,
)  # fmt: skip
"""The same, with weather, light, blur and compression."""

LARGE = SceneSettings(
    drive=0.22, bending=0.25, fast=0.2, pan=0.12, still=0.04, pace=(0.15, 3.0), max_displacement=85.0,
    background_scales=(0.4, 1.2, 3.0, 7.0, 14.0), shape_scales=(0.4, 1.5, 4.0, 9.0, 16.0),
    fog=0.06, shadows=0.2, highlights=0.1, motion_blur=0.25, path_blur=0.1, dark=0.04, jpeg=0.1,
)  # fmt: skip
"""As `mixed`, with more large motion: up to a third of the frame's width."""

NIGHT = SceneSettings(
    drive=0.2, bending=0.2, fast=0.1, dark=1.0, highlights=0.5, contrast=0.25, texture_kinds=(
        ("noise", 3.0), ("leaves", 1.0), ("cells", 1.0), ("text", 0.5), ("gradient", 2.0)
    ), jpeg=0.3,
)  # fmt: skip
"""A domain for tests: dark and noisy, with highlights."""

PAN = SceneSettings(
    drive=0.2, pan=0.85, fast_speed=(0.05, 0.3), path_blur=0.7, parallax=0.8, shapes=(2, 10), shape_size=(0.08, 0.6),
    motion_blur=0.0, jpeg=0.2,
)  # fmt: skip
"""A domain for tests: fast pans, mostly blurred."""

FOG = SceneSettings(
    drive=0.3, bending=0.3, fog=1.0, faint=0.6, texture_kinds=(("gradient", 4.0), ("noise", 2.0), ("leaves", 1.0)),
    detail=0.2, brightness=0.05, noise=0.02,
)  # fmt: skip
"""A domain for tests: fog and little texture."""

FIXED = SceneSettings(fixed=1.0)
"""A domain for tests: a fixed camera, and small objects that move."""

PRESETS = {
    "default": SceneSettings(),
    "motion": MOTION,
    "mixed": MIXED,
    "large": LARGE,
    "night": NIGHT,
    "pan": PAN,
    "fog": FOG,
    "fixed": FIXED,
}


def preset(name: str) -> SceneSettings:
    """The settings called `name`. Raises InputError for an unknown name.

    preset("mixed").bending  # 0.25
    """
    if name not in PRESETS:
        raise unknown_name("preset of scenes", name, PRESETS)
    return PRESETS[name]
