"""The models that come with the product, in a checkout and where it is installed."""

from __future__ import annotations

from pathlib import Path

# Beside this package: artifacts/ of the checkout and of the image, fraudscore/artifacts/ of the wheel.
SHIPPED = Path(__file__).resolve().parents[1] / "artifacts"
DEFAULT_MODEL = SHIPPED / "creditcard"
