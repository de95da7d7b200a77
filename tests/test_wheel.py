"""The wheel, built, put somewhere else, and used there as a stranger would."""

import ast
import contextlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.app.gunicorn import Server, wait_for
from tests.locks import ROOT
from tests.training.commands import QUICK_TOML

OURS = {"app", "model", "training"}
SOURCES = [path for name in sorted(OURS) for path in sorted((ROOT / name).rglob("*.py"))]
TRANSACTION = ROOT / "docs/transaction.json"


@pytest.fixture(scope="module")
def move_imports():
    """Return the function that adapts a module, from the file that builds the wheel."""
    pytest.importorskip("setuptools")
    return runpy.run_path(str(ROOT / "setup.py"), run_name="building")["move_imports"]


class Moved(ast.NodeTransformer):
    """The same by another way: on the tree instead of the text."""

    def visit_ImportFrom(self, node):
        if node.module.partition(".")[0] in OURS:
            node.module = f"fraudscore.{node.module}"
        return node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_move_and_nothing_else_changes(move_imports, path):
    source = path.read_text(encoding="utf-8")

    moved = move_imports(source)

    assert ast.dump(ast.parse(moved)) == ast.dump(Moved().visit(ast.parse(source)))
    assert moved.replace("fraudscore.", "") == source.replace("fraudscore.", "")
    assert moved.count("\n") == source.count("\n")  # lines of a traceback are those of the source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import app\n", "import fraudscore.app as app\n"),
        ("import model as m\n", "import fraudscore.model as m\n"),
        ("from app import errors, telemetry\n", "from fraudscore.app import errors, telemetry\n"),
        (
            "if x:\n    from   model.a import (\n b,\n)\n",
            "if x:\n    from   fraudscore.model.a import (\n b,\n)\n",
        ),
        ("from application import a\nimport apps, os\n", None),
        ("'''\nfrom model import a\n\x0c\u2028'''\n", None),
    ],
)
def test_ways_to_import(move_imports, source, expected):
    assert move_imports(source) == (source if expected is None else expected)


@pytest.mark.parametrize("source", ["import app.errors", "import os, model"])
def test_import_that_binds_another_name_than_it_says_is_refused(move_imports, source):
    with pytest.raises(ValueError, match="line 1: write 'from … import …'"):
        move_imports(source)


def copied_sources(folder):
    """Copy what a wheel is built from: a build leaves things behind where it works."""
    for name in ("fraudscore", "artifacts", *OURS):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "gunicorn.conf.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "MANIFEST.in", folder)
    return folder


def build(sources, target, *options):
    """Build the wheel; return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target]
    subprocess.run([*command, *options, sources], check=True)  # noqa: S603
    (path,) = target.glob("fraudscore-*.whl")
    return path


class Program:
    """The command ``fraudscore`` and the folder in which it is typed."""

    def __init__(self, command, folder, **environ):
        self.command = [str(part) for part in command]
        self.folder = folder
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("FRAUDSCORE_", "PYTHON"))
        }
        self.changes = environ
        self.environ = inherited | environ

    def run(self, *arguments, status=0):
        """Run a command; return what it printed."""
        done = subprocess.run(  # noqa: S603
            [*self.command, *map(str, arguments)],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def serving(self, *arguments):
        """Serve with it; give the service."""
        program = self

        class Served(Server):
            cwd = program.folder

            def command(self, *more):
                return [*program.command, "serve", *arguments, *more]

        with contextlib.closing(Served(None, **self.changes)) as server:
            wait_for(lambda: server.popen.poll() is not None or server.get("/health").ok, "ready")
            assert server.popen.poll() is None, server.end()
            yield server


def assert_serves(program):
    """Assert that it serves the shipped model as the checkout does."""
    with program.serving() as server:
        answer = server.post("/predict", json.loads(TRANSACTION.read_text()))
        assert answer.json()["model"]["name"] == "creditcard"
        assert answer.json()["decision"] == "block"
        assert server.get("/").url.endswith("/docs")
        assert server.get("/metrics").ok
        messages = [line["message"] for line in server.log()]
        assert "Using worker: fraudscore.app.worker.LoopWorker" in messages


def assert_trains_and_scores(program):
    """Assert that it trains, promotes, scores and serves what it trained, as its hints say."""
    (program.folder / "quick.toml").write_text(QUICK_TOML)
    program.run("simulate", "--rows", "3000", "--output", "rows.csv")
    options = (
        "--data",
        "rows.csv",
        "--id",
        "transaction_id",
        "--name",
        "mine",
        "--config",
        "quick.toml",
    )

    first = program.run("train", *options)
    again = program.run("train", *options, "--seed", "1")

    assert "fraudscore serve --model artifacts/mine" in re.sub(r"\s+", " ", first)
    hint = re.search(
        r"fraudscore (promote) (artifacts/mine/[0-9a-f]{12}\.npz)", re.sub(r"\s+", " ", again)
    )
    program.run(*hint.groups())
    program.run(
        "score", "--model", "artifacts/mine", "--data", "rows.csv", "--output", "scored.csv"
    )
    assert len((program.folder / "scored.csv").read_text().splitlines()) == 3001
    assert "probability" in program.run("predict", "--json", TRANSACTION).lower()
    with program.serving("--model", "artifacts/mine") as server:
        assert server.get("/health").json()["model"]["version"] in hint[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Return the program from a wheel that is unpacked beside the packages of the tests."""
    pytest.importorskip("setuptools", minversion="77", reason="setuptools 77 builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    sources = copied_sources(folder / "sources")
    wheel = build(sources, folder, "--no-build-isolation", "--no-index")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    work = folder / "a folder"
    work.mkdir()
    return Program(
        [sys.executable, "-P", "-m", "fraudscore"], work, PYTHONPATH=str(folder / "site")
    )


def test_wheel_has_one_name_and_all_files(unpacked):
    site = Path(unpacked.environ["PYTHONPATH"])
    (about,) = site.glob("*.dist-info")
    metadata = Parser().parsestr((about / "METADATA").read_text(encoding="utf-8"))

    assert {path.name for path in site.iterdir()} == {"fraudscore", about.name}
    assert (about / "entry_points.txt").read_text() == (
        "[console_scripts]\nfraudscore = fraudscore.commands:main\n"
    )
    assert "train" in metadata.get_all("Provides-Extra")
    for name in (*OURS, "artifacts"):
        kept = {p.relative_to(ROOT / name) for p in (ROOT / name).rglob("*") if p.is_file()}
        kept = {path for path in kept if "__pycache__" not in path.parts}
        found = site / "fraudscore" / name
        assert kept == {p.relative_to(found) for p in found.rglob("*") if p.is_file()}


def test_every_module_of_the_wheel_can_be_imported_and_needs_no_other_name(unpacked):
    code = (
        "import importlib, pkgutil, sys, fraudscore\n"
        "for module in pkgutil.walk_packages(fraudscore.__path__, 'fraudscore.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    python = Program([sys.executable, "-P", "-c", code], unpacked.folder, **unpacked.environ)

    assert not OURS & set(python.run().split())


def test_unpacked_wheel_serves(unpacked):
    assert_serves(unpacked)


def test_unpacked_wheel_scores_a_table_with_the_shipped_model(unpacked):
    row = json.loads(TRANSACTION.read_text())
    (unpacked.folder / "rows.csv").write_text(
        "\n".join([",".join(row), *[",".join(map(str, row.values()))] * 3])
    )

    unpacked.run("score", "--data", "rows.csv", "--output", "scored.csv")

    assert len((unpacked.folder / "scored.csv").read_text().splitlines()) == 4


def test_unpacked_wheel_calls_its_commands_by_their_installed_name(unpacked):
    code = (
        "from fraudscore.training.program import *; from pathlib import Path\n"
        "print(command_line('promote', 'a b.npz'), serving_command(Path('mine')), sep='\\n')"
    )
    python = Program([sys.executable, "-P", "-c", code], unpacked.folder, **unpacked.environ)

    assert python.run().splitlines() == [
        "fraudscore promote 'a b.npz'",
        "fraudscore serve --model mine",
    ]
    assert "fraudscore keys [OPTIONS]" in unpacked.run("keys", "--help")


@pytest.fixture
def installed(tmp_path):
    """Return the program from the wheel in an environment of its own, and the wheel."""
    environment, work = tmp_path / "environment", tmp_path / "work"
    work.mkdir()
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)  # noqa: S603
    wheel = build(copied_sources(tmp_path / "sources"), tmp_path)
    install = [environment / "bin/python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, wheel], check=True)  # noqa: S603
    return Program([environment / "bin/fraudscore"], work), [*install, f"{wheel}[train]"]


@pytest.mark.install
def test_installed_wheel_serves_and_says_what_training_needs(installed):
    program, command = installed
    assert_serves(program)

    refusal = program.run("train", "--data", "rows.csv", status=1)

    assert re.fullmatch(
        r"Error: this needs \w+, which is not installed: pip install 'fraudscore\[train\]'\n",
        refusal,
    )
    subprocess.run(command, check=True)  # noqa: S603
    assert_trains_and_scores(program)
