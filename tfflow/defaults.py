"""Choices that hold where a user makes none, for functions and commands alike."""

from __future__ import annotations

WEIGHTS = "pwcnet_mobile_v4"
"""Pretrained weights that predict, and that `tfflow phone` and `tfflow prove` train on."""
