"""What the documents say is what the product does."""

import json
import re
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from app import create_app
from app.__main__ import main as app_main
from app.config import PREFIX, Settings
from app.observability.metrics import METRICS
from app.observability.problem_codes import CODES
from fraudscore.commands import main as program
from tests.app.serving import serving
from tests.precision import as_rounded
from training.__main__ import main
from training.config import RunConfig
from training.config_file import load_config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def client():
    """The service on the shipped model."""
    return create_app({"MODEL_DIR": str(ROOT / "artifacts/creditcard")}).test_client()


def blocks(path, language):
    """Return the code blocks of one language, as pytest parameters."""
    found = re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [pytest.param(code, id=f"{path.name}:{n}") for n, code in enumerate(found, start=1)]


def test_readme_shows_the_answer_of_the_shipped_model(client):
    shown = re.search(r"<!-- answer: POST /predict -->\n```json\n(.*?)```", README, re.DOTALL)
    transaction = (ROOT / "docs/transaction.json").read_text(encoding="utf-8")

    found = client.post("/predict", data=transaction, content_type="application/json").json

    assert json.loads(shown[1]) == as_rounded(found)


def test_readme_shows_the_refusal_of_a_bad_transaction(client):
    found = client.post("/predict", json={"Amount": "12"})

    problems = found.json["errors"]["transactions"]["0"]
    assert found.status_code == 422
    assert problems["Amount"] == ["Not a valid number."]
    assert problems["Time"] == ["Missing data for required field."]


def test_readme_lists_every_setting_with_its_default():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]+?)`? \|", README, re.MULTILINE))

    written = {"True": "on", "False": "off", "None": "none", "()": "none", "": "none"}
    defaults = {PREFIX + f.name.upper(): str(f.default) for f in fields(Settings)}
    expected = {name: written.get(default, default) for name, default in defaults.items()}
    expected["FRAUDSCORE_MODEL_DIR"] = "artifacts/creditcard"  # beside the code
    expected |= {"HOST": "127.0.0.1", "PORT": "8000", "WEB_CONCURRENCY": "2"}
    expected["FRAUDSCORE_RUN_DIR"] = "$TMPDIR/fraudscore-$PORT"  # as gunicorn.conf.py sets it
    assert rows == expected


def test_readme_lists_every_route(client):
    rules = {rule.rule for rule in client.application.url_map.iter_rules()}
    table = "\n".join(re.findall(r"^\| `(?:GET|POST) .*", README, re.MULTILINE))

    assert rules == set(re.findall(r"(/[a-z/.]*)(?=[`,])", table))


def test_readme_python_prints_what_it_says(client, monkeypatch, capsys):
    codes = [p.values[0] for p in blocks(ROOT / "README.md", "python")]
    told = re.findall(r"print\(.*\)  # (.*)", "".join(codes))
    monkeypatch.chdir(ROOT)

    with serving(client.application) as address:
        capsys.readouterr()
        for code in codes:
            code = code.replace("http://localhost:8000", address)
            exec(compile(code, "README.md", "exec"), {})  # noqa: S102 (our own document)

    lines = capsys.readouterr().out.splitlines()
    printed = [line for line in lines if not line.startswith('{"time"')]  # the log of the service
    assert len(told) == 6
    assert printed == told


def test_reference_lists_every_metric_and_every_reason():
    text = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(fraud_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", text, re.MULTILINE)

    told = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)), s) for name, kind, labels, s in rows
    }
    assert told == {m.name: (m.kind, m.labels, m.documentation) for m in METRICS.values()}
    assert set(CODES) <= set(re.findall(r"`(\w+)`", text.partition("## Reasons")[2]))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documented_commands_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"-m training ([a-z]+)", text)) <= set(main.commands)
    assert set(re.findall(r"-m app ([a-z]+)", text)) <= set(app_main.commands)
    code = "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    commands = set(program.list_commands(None))
    assert set(re.findall(r"(?:^|`)fraudscore\s([a-z]+)", code, re.MULTILINE)) <= commands
    for command, word in re.findall(r"-m app ([a-z]+) ([a-z]+)", text):
        assert word in getattr(app_main.commands[command], "commands", {word})
    for module in re.findall(r"-m (benchmarks\.[a-z_]+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documented_options_exist(path):
    commands = [program.get_command(None, name) for name in program.list_commands(None)]
    options = {
        name
        for command in commands
        for p in command.params
        for name in (*p.opts, *p.secondary_opts)
    }
    text = re.sub(r"(docker|curl|pip)[^\n]*", "", path.read_text(encoding="utf-8"))

    assert set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) <= options | {"--help"}


def test_training_reference_lists_every_key_and_is_accepted(tmp_path):
    (code,) = (p.values[0] for p in blocks(ROOT / "docs/training.md", "toml"))
    path = tmp_path / "run.toml"
    path.write_text(code)

    load_config(path, {})

    def keys(cls, prefix=""):
        for name, kind in get_type_hints(cls).items():
            yield prefix + name
            if is_dataclass(kind):
                yield from keys(kind, f"{prefix}{name}.")

    def given(table, prefix=""):
        for name, value in table.items():
            yield prefix + name
            if isinstance(value, dict) and f"{prefix}{name}" not in ("data.bounds", "data.units"):
                yield from given(value, f"{prefix}{name}.")

    shown_as_comments = {f"policy.{key}" for key in re.findall(r"^# (\w+) = ", code, re.MULTILINE)}
    assert set(given(tomllib.loads(code))) | shown_as_comments == set(keys(RunConfig))


def test_training_reference_states_the_defaults():
    (code,) = (p.values[0] for p in blocks(ROOT / "docs/training.md", "toml"))
    told = tomllib.loads(code)

    for section in ("split", "network", "learning", "autoencoder", "policy"):
        defaults = getattr(RunConfig(), section)
        for name, value in told[section].items():
            default = getattr(defaults, name)
            if default is not None and name != "delay_seconds":
                assert value == (list(default) if isinstance(default, tuple) else default), name


@pytest.mark.parametrize("code", blocks(ROOT / "docs/networks.md", "python"))
def test_documented_python_runs(code):
    exec(compile(code, "docs/networks.md", "exec"), {})  # noqa: S102 (our own document)
