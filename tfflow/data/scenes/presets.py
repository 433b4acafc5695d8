"""Named settings of scenes, as data: `scenes:preset=mixed`."""

from __future__ import annotations

from tfflow.data.scenes.settings import SceneSettings
from tfflow.errors import unknown_name

SCENES_V2 = SceneSettings(drive=0.22, bending=0.25, fast=0.2, pan=0.08, still=0.04, pace=(0.25, 1.5))
"""For training: about two in five scenes are affine layers alone."""

PRESETS = {"default": SceneSettings(), "mixed": SCENES_V2}


def preset(name: str) -> SceneSettings:
    """The settings of a name. Raises InputError for an unknown one."""
    if name not in PRESETS:
        raise unknown_name("preset of scenes", name, PRESETS)
    return PRESETS[name]
