"""How far results may be apart that are the same but for rounding.

The shape of a batch, the kernel of the processor and the number of threads decide in which order
sums are added up, and so their last digits. The same machine gives the same bits for the same call;
everything else agrees as far as the precision of the computation goes: in float32, which networks
compute in, 1e-5 is about eighty units in the last place, what sums of some hundred terms through a
few layers can lose. Values near zero are what is left of larger ones, so the bound is absolute too.
"""

import numpy as np
import pytest

_BOUNDS = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-10}


def rounding(dtype):
    """Return how far apart two computations may be, as ``assert_allclose`` takes it."""
    bound = _BOUNDS[np.dtype(dtype)]
    return {"rtol": bound, "atol": bound}


def as_rounded(document, dtype=np.float32):
    """Return what equals an answer, or part of one, whose numbers were computed elsewhere."""
    if isinstance(document, dict):
        return {key: as_rounded(value, dtype) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return type(document)(as_rounded(value, dtype) for value in document)
    bound = _BOUNDS[np.dtype(dtype)]
    return pytest.approx(document, rel=bound, abs=bound) if type(document) is float else document
