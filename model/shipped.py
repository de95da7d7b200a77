"""The models that come with the product, in a checkout and where it is installed."""

from __future__ import annotations

from pathlib import Path

# Beside this package: artifacts/ in a checkout and the image, fraudscore/artifacts/ in the wheel.
SHIPPED = Path(__file__).resolve().parents[1] / "artifacts"
DEFAULT_MODEL = SHIPPED / "creditcard"
