"""What the tests of the model share."""

import numpy as np
import pytest

from tests.factories import tiny_rows, tiny_scorer


@pytest.fixture
def rng():
    """Return a generator that is the same in every test."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def scorer():
    """Return a small scorer with both networks; nothing in a scorer can be changed."""
    return tiny_scorer()


@pytest.fixture
def rows(rng):
    """Return raw rows of the small scorer's features."""
    return tiny_rows(50, rng)[0]
