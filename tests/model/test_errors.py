"""Errors: one tree, facts as attributes, messages made of them."""

from pathlib import Path

import pytest

from model import errors
from model.errors import (
    ArtifactCorruptError,
    ArtifactError,
    ArtifactFormatError,
    ArtifactNotFoundError,
    ConfigurationError,
    FeatureError,
    FraudscoreError,
    NotFittedError,
    TaskError,
)

EVERY = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, Exception)
]


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_is_ours_and_is_in_the_drawn_tree(kind):
    assert issubclass(kind, FraudscoreError)
    assert kind.__name__ in errors.__doc__
    assert kind.__doc__


@pytest.mark.parametrize("kind", [ConfigurationError, FeatureError])
def test_wrong_values_are_also_value_errors(kind):
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", [ArtifactNotFoundError, ArtifactFormatError, ArtifactCorruptError])
def test_artifact_error_says_what_and_where(kind):
    error = kind(Path("artifacts") / "tiny" / "3f9c.npz", "has format 2")

    assert isinstance(error, ArtifactError)
    assert (error.path, error.reason) == ("artifacts/tiny/3f9c.npz", "has format 2")
    assert str(error) == "artifacts/tiny/3f9c.npz: has format 2"


def test_feature_error_names_the_first_problem_and_counts_the_rest():
    one = FeatureError({3: {"Amount": ["Not a valid number."]}})
    three = FeatureError({3: {"Amount": ["a", "b"]}, 5: {"V1": ["c"]}})

    assert str(one) == "row 3, Amount: Not a valid number."
    assert str(three) == "row 3, Amount: a (and 2 more)"
    assert three.problems == {3: {"Amount": ["a", "b"]}, 5: {"V1": ["c"]}}


def test_task_error_names_task_and_artifact():
    error = TaskError("fraud", "tiny")

    assert (error.task, error.name) == ("fraud", "tiny")
    assert str(error) == "the artifact 'tiny' was trained without the task 'fraud'"


def test_not_fitted_error_says_what_to_do():
    error = NotFittedError("the calibration")

    assert error.name == "the calibration"
    assert str(error) == "the calibration is not fitted yet: call its fit method first"
