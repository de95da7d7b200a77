"""The data of the demonstrations: small, drawn at random, and known in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Points = tuple[Array, Array]  # (n, 2), and their classes (n,)

CORNERS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], np.float64)
XOR = np.array([0, 1, 1, 0], np.float64)
SPREAD = 0.4  # half the side of the squares about the corners
SPIRAL_TURNS, SPIRAL_RADIUS = 1.1, 3.0
NOISE = 0.1  # of spirals and moons
CURVE_NOISE = 0.07
ROWS, ANOMALIES = 1000, 500  # of each part of the legitimate rows; of the anomalies in the plane
FEATURES, CAUSES = 8, 2


def corners(n: int, rng: np.random.Generator) -> Points:
    """Return so many points about each corner of a square; opposite corners are of one class."""
    X = np.repeat(CORNERS, n, axis=0)
    X += rng.uniform(-SPREAD, SPREAD, X.shape)
    return X, np.repeat(XOR, n)


def spirals(n: int, rng: np.random.Generator) -> Points:
    """Return so many points of each of two spirals, wound into each other, and their classes."""
    along = np.sqrt(rng.uniform(0.04, 1, (2, n)))
    angle = 2 * np.pi * SPIRAL_TURNS * along + np.array([[0], [np.pi]])
    X = SPIRAL_RADIUS * along[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    X += rng.normal(0, NOISE, X.shape)
    return X.reshape(-1, 2), np.repeat([0.0, 1.0], n)


def moons(n: int, rng: np.random.Generator) -> Points:
    """Return so many points of each of two half moons, hooked into each other, and classes."""
    along = rng.uniform(0, np.pi, (2, n))
    side = np.array([[1], [-1]])
    X = np.stack([side * (np.cos(along) - 0.5), side * (np.sin(along) - 0.25)], axis=-1)
    X += rng.normal(0, NOISE, X.shape)
    return X.reshape(-1, 2), np.repeat([0.0, 1.0], n)


@dataclass(frozen=True)
class Rows:
    """Legitimate rows in three parts, and anomalies.

    Attributes
    ----------
    train, validation, test : ndarray (n, F)
        To learn from, to set the threshold by, to judge by.
    odd : ndarray (n, F)
    """

    train: Array
    validation: Array
    test: Array
    odd: Array


def curve(rng: np.random.Generator) -> Rows:
    """Return rows that lie about a curve in the plane, and anomalies that lie anywhere."""

    def usual() -> Array:
        along = rng.uniform(-1, 1, ROWS)
        on_curve = np.stack([1.5 * along, 1.1 * np.sin(2.6 * along)], axis=1)
        return on_curve + rng.normal(0, CURVE_NOISE, on_curve.shape)

    return Rows(usual(), usual(), usual(), rng.uniform(-1.7, 1.7, (ANOMALIES, 2)))


def causes(rng: np.random.Generator) -> Rows:
    """Return rows of many features with few causes, and anomalies.

    Each value of an anomaly is that of a legitimate row, but of another one for every feature: no
    feature alone is unusual.
    """
    inward, outward = rng.normal(size=(CAUSES, 16)), rng.normal(size=(16, FEATURES))

    def usual() -> Array:
        rows = np.tanh(rng.normal(size=(ROWS, CAUSES)) @ inward) @ outward
        rows += rng.normal(0, 0.4, rows.shape)
        return np.asarray(rows / np.sqrt((outward**2).sum(axis=0)))

    others = usual()
    odd = np.stack([rng.permutation(column) for column in others.T], axis=1)
    return Rows(usual(), usual(), usual(), odd)
