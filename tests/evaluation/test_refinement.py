"""Variational refinement: nearer to the truth than the flow it starts from, and the same interface."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.test_baselines import blobs
from tfflow.errors import InputError
from tfflow.evaluation.refinement import refined

MOTION = np.float32([3, -1])


class Rough:
    """Knows the motion up to noise of half a pixel."""

    name = "rough"

    def flow(self, shape, sign):
        noise = np.random.default_rng(1).normal(0, 0.5, (*shape[:3], 2))
        return (sign * MOTION + noise).astype(np.float32)

    def batch(self, images1, images2):
        return self.flow(images1.shape, 1)

    def both(self, images1, images2):
        return self.flow(images1.shape, 1), self.flow(images1.shape, -1)


def error(flow, sign=1):
    """Mean over the pixels whose target is in the frame."""
    return np.linalg.norm(flow - sign * MOTION, axis=-1)[:, 8:-8, 8:-8].mean()


def test_refinement_takes_away_most_of_the_noise_in_both_directions():
    image1, image2 = blobs(du=3, dv=-1)
    images = np.stack([image1, image2]), np.stack([image2, image1])
    better = refined(Rough(), "variational")
    forward = better.batch(images[0][:1], images[1][:1])
    assert better.name == "rough + variational"
    assert forward.shape == (1, 96, 128, 2) and forward.dtype == np.float32
    assert error(forward) < 0.2 * error(Rough().batch(images[0][:1], None))
    there, back = better.both(images[0][:1], images[1][:1])
    np.testing.assert_array_equal(there, forward)
    assert error(back, -1) < 0.2 * error(Rough().flow(back.shape, -1), -1)


def test_a_batch_is_its_pairs_one_by_one_and_what_came_is_not_changed():
    class Fixed(Rough):
        kept = Rough().flow((2, 96, 128, 3), 1)

        def batch(self, images1, images2):
            return self.kept[: len(images1)]

    a, b = blobs(du=3, dv=-1), blobs(du=1)
    before = Fixed.kept.copy()
    together = refined(Fixed(), "variational").batch(np.stack([a[0], b[0]]), np.stack([a[1], b[1]]))
    np.testing.assert_array_equal(together[:1], refined(Fixed(), "variational").batch(a[0][None], a[1][None]))
    np.testing.assert_array_equal(Fixed.kept, before)
    assert np.abs(together - before).max() > 0.1


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (40, 1)])
def test_small_pictures_are_refined_too(size):
    image = np.random.default_rng(0).random((1, *size, 3)).astype(np.float32)
    assert np.isfinite(refined(Rough(), "variational").batch(image, image)).all()


def test_a_flow_that_is_not_finite_stays_so():
    class Broken(Rough):
        def batch(self, images1, images2):
            return np.full((*images1.shape[:3], 2), np.nan, np.float32)

    image = np.zeros((1, 8, 9, 3), np.float32)
    assert np.isnan(refined(Broken(), "variational").batch(image, image)).all()


def test_an_unknown_refinement_is_refused():
    with pytest.raises(InputError, match="unknown refinement 'variationl': did you mean variational"):
        refined(Rough(), "variationl")
