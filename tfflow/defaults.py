"""Choices that hold where a user makes none, for functions and commands alike."""

from __future__ import annotations

WEIGHTS = "pwcnet_mobile_v4"
"""Pretrained weights that predict, and that `tfflow phone` and `tfflow prove` train on."""

DOMAINS = ("night", "pan", "fog", "fixed")
"""Presets of the built-in scenes that the pretrained weights have not seen, for `tfflow prove`."""
