"""Imports point inward: app → model ← training, and model stands on NumPy alone."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"app", "fraudscore", "model", "training"}
# Under each package: what it may import besides the standard library and itself.
ALLOWED = {
    "model": {"numpy"},
    "app": {"model", "numpy", "flask", "werkzeug", "marshmallow", "orjson", "gunicorn"}
    | {"apispec", "click", "markupsafe", "opentelemetry", "prometheus_client", "redis"}
    | {"requests", "uvloop", "httptools"},
}
FORBIDDEN = {"training": {"app", "flask", "werkzeug", "marshmallow", "gunicorn"}}
# The core of a scoring request runs without a web framework.
FRAMEWORK_FREE = ["answer", "config", "intake", "responses", "schemas", "store"]


def imported_packages(path):
    """Return the top-level packages that a file imports, those for type checkers left out."""
    found = set()
    pending = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            found.add(node.module.partition(".")[0])
        pending.extend(ast.iter_child_nodes(node))
    return found


def files_of(*packages):
    """Return a parameter for every file of the packages, named by its path."""
    paths = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


@pytest.mark.parametrize("path", files_of(*sorted(ALLOWED)))
def test_serving_packages_import_only_what_they_may(path):
    package = path.relative_to(ROOT).parts[0]
    allowed = ALLOWED[package] | {package} | set(sys.stdlib_module_names)

    assert imported_packages(path) <= allowed


@pytest.mark.parametrize("path", files_of(*sorted(FORBIDDEN)))
def test_training_does_not_import_serving(path):
    package = path.relative_to(ROOT).parts[0]

    assert not imported_packages(path) & FORBIDDEN[package]


@pytest.mark.parametrize("name", FRAMEWORK_FREE)
def test_core_of_a_scoring_request_does_not_import_flask(name):
    assert "flask" not in imported_packages(ROOT / "app" / f"{name}.py")


def test_serving_process_loads_nothing_of_training():
    """Import the service in a fresh interpreter and look at what came with it."""
    code = "import app, sys; print(*{name.partition('.')[0] for name in sys.modules})"

    loaded = subprocess.run(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "model" in loaded
    unwanted = {"training", "pandas", "sklearn", "scipy", "imblearn", "matplotlib"}
    assert not unwanted & set(loaded)


def test_every_package_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {path.parent for name in OURS for path in (ROOT / name).rglob("__init__.py")}
    names = {".".join(path.relative_to(ROOT).parts) for path in found}

    moved = {name if name == "fraudscore" else f"fraudscore.{name}" for name in names}
    assert set(settings["packages"]) == moved | {"fraudscore.artifacts"}


@pytest.mark.parametrize("path", files_of(*sorted(OURS)))
def test_no_text_names_a_module_that_has_another_name_where_it_is_installed(path):
    """Such names come from ``__name__``, ``__package__`` and ``training.program``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    described = {
        ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, documented)
    }
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)} - described
    pattern = re.compile(r".* -m (app|model|training)\b.*|(app|model|training)[.:]\w[\w.:()]*")

    assert not {text for text in texts if isinstance(text, str) and pattern.fullmatch(text)}
