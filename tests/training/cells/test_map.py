"""The package says what is in it, and its examples are true."""

import doctest
import importlib
import pkgutil

import pytest

from training import cells

MODULES = sorted(module.name for module in pkgutil.iter_modules(cells.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_every_file_is_on_the_map(name):
    assert f"``{name}``" in cells.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    module = importlib.import_module(f"training.cells.{name}")

    assert doctest.testmod(module).failed == 0
