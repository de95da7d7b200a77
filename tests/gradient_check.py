"""Central differences: the independent judge of every gradient."""

import numpy as np

STEP = 1e-6
TOLERANCE = 1e-6
SMALLEST_KINK_DISTANCE = 1e-4  # of a rectifier's pre-activations, a hundred steps


def numerical_gradient(function, values):
    """Return d function() / d values; each value is moved in place, and put back."""
    gradient = np.empty_like(values)
    for index in np.ndindex(values.shape):
        kept = values[index]
        values[index] = kept + STEP
        above = function()
        values[index] = kept - STEP
        below = function()
        values[index] = kept
        gradient[index] = (above - below) / (2 * STEP)
    return gradient


def relative_error(analytic, numeric):
    """Return the largest |a − n| / max(1, |a|, |n|)."""
    size = np.maximum(1, np.maximum(np.abs(analytic), np.abs(numeric)))
    return float((np.abs(analytic - numeric) / size).max())


def assert_gradient(analytic, numeric):
    """Assert that a gradient is right, also where all of it is small."""
    assert analytic.shape == numeric.shape
    assert relative_error(analytic, numeric) < TOLERANCE
    assert np.abs(analytic - numeric).max() < 1e-4 * np.abs(numeric).max()


def assert_away_from_kinks(layers):
    """Assert that no rectifier stands where central differences would straddle its kink."""
    distances = [np.abs(layer.z_cache).min() for layer in layers if layer.activation.rectifies]
    assert min(distances, default=np.inf) > SMALLEST_KINK_DISTANCE
