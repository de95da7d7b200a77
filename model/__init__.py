"""What training and serving share: networks from scratch in NumPy, and all that must be identical.

Reading order: ``activations``, ``initializers``, ``component``, ``dense``, ``batch_norm`` and
``layers`` (what a network is made of), ``losses``, ``optimizers``, ``network`` (how it learns),
``mlp`` and ``autoencoder`` (what we train); then ``features``, ``preprocessing``, ``calibration``,
``decision``, ``reasons`` (from a transaction to a decision), ``piecewise``, ``first_layer`` and
``inference`` (the classifier as it serves), ``scorer`` (all of that as one object), ``artifact``
(that object as one file), ``tables`` and ``trained`` (that file as Python programs use it).

This package imports NumPy and the standard library only.
"""

from model.activations import relu, relu_derivative, sigmoid, sigmoid_derivative
from model.autoencoder import Autoencoder
from model.layers import BatchNorm, Dropout, Layer, Residual
from model.losses import compute_class_weights
from model.mlp import MLP
from model.trained import TrainedModel, load

__all__ = [
    "MLP",
    "Autoencoder",
    "BatchNorm",
    "Dropout",
    "Layer",
    "Residual",
    "TrainedModel",
    "compute_class_weights",
    "load",
    "relu",
    "relu_derivative",
    "sigmoid",
    "sigmoid_derivative",
]
