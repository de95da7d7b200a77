"""Speed and quality against the peers. Importing this limits BLAS to one thread: NumPy comes later.

A run is a module: ``python -m benchmarks.training_speed``.
"""

import os

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
