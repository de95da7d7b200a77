"""The numeric tests under each kernel of OpenBLAS, and each set of NumPy's loops, that runs here.

Another processor adds up in another order. What it would compute can be seen here as far as this
one knows its instructions. ``make test-kernels`` runs this; it takes minutes.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernels

ROOT = Path(__file__).resolve().parent.parent
# From the oldest to the newest: names of OPENBLAS_CORETYPE.
KERNELS = {
    "x86_64": (
        "Prescott",
        "Nehalem",
        "Sandybridge",
        "Haswell",
        "Zen",
        "SkylakeX",
        "Cooperlake",
        "SapphireRapids",
    ),
    "aarch64": ("ARMV8", "CORTEXA57", "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2", "A64FX"),
}.get(platform.machine(), ())
NUMERIC_TESTS = (
    "model",
    "tests/model",
    "tests/test_artifacts.py",
    "tests/test_docs.py",
    "tests/test_parity.py",
    "tests/app/test_client.py",
    "tests/app/test_scoring.py",
    "tests/training/test_analysis.py",
    "tests/training/test_anomaly.py",
    "tests/training/test_averaging.py",
    "tests/training/test_batch.py",
    "tests/training/test_classifier.py",
    "tests/training/test_evaluate.py",
    "tests/training/test_explore_figures.py",
    "tests/training/test_fit.py",
    "tests/training/test_objective.py",
    "tests/training/test_pipeline.py",
    "tests/training/test_rebase.py",
    "tests/training/test_report_figures.py",
)
# Multiplies, which a kernel of other processors does not survive, and says which one did it.
PROBE = """
import json
import numpy as np
from threadpoolctl import threadpool_info
for dtype in (np.float32, np.float64):
    a = np.ones((65, 33), dtype)
    assert (a @ a.T == 33).all() and (a[0] @ a.T == 33).all()
print(json.dumps([lib["architecture"] for lib in threadpool_info() if "architecture" in lib]))
"""
TESTS = "import sys, numpy, pytest\ncode = pytest.main(sys.argv[1:])\n" + PROBE + "sys.exit(code)"


def run(code, *arguments, **environ):
    """Run Python in a process of its own, which may crash."""
    return subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def kernels():
    """Return which kernel runs under each name; names that this processor cannot run are absent."""
    found = {}
    for name in KERNELS:
        probe = run(PROBE, OPENBLAS_CORETYPE=name)
        if probe.returncode == 0:
            found[name] = json.loads(probe.stdout)
    return found


def assert_numeric_tests_pass(**environ):
    """Run the numeric tests; return which kernel they ran under."""
    done = run(TESTS, "-p", "no:cacheprovider", *NUMERIC_TESTS, **environ)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", KERNELS)
def test_numeric_tests_pass_under_the_kernel(kernels, name):
    if name not in kernels:
        pytest.skip("this processor cannot run it")
    same = next(other for other, kernel in kernels.items() if kernel == kernels[name])
    if same != name:
        pytest.skip(f"here that is the kernel of {same}")

    assert assert_numeric_tests_pass(OPENBLAS_CORETYPE=name) == kernels[name]


def test_numeric_tests_pass_with_the_loops_that_numpy_has_for_every_processor():
    features = run(
        "from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__\n"
        "print(*(name for name in __cpu_dispatch__ if __cpu_features__[name]))"
    ).stdout.strip()
    if not features:
        pytest.skip("NumPy has no others here")

    assert_numeric_tests_pass(NPY_DISABLE_CPU_FEATURES=features)
