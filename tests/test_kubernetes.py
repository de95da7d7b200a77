"""What an operator applies to a cluster fits the image and the service."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app import create_app
from app.config import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def manifests():
    """Return the documents of the manifest by their kind."""
    text = (ROOT / "deploy/kubernetes.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def pod(manifests):
    """Return what describes a pod."""
    return manifests["Deployment"]["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    """Return the only container."""
    (found,) = pod["containers"]
    return found


@pytest.fixture(scope="module")
def environ(container):
    """Return the variables of the container."""
    return {variable["name"]: variable["value"] for variable in container["env"]}


@pytest.fixture
def graceful_seconds(monkeypatch):
    """Return how long a worker that was told to stop may finish what it has."""
    monkeypatch.setattr(os, "environ", {})  # the file writes to it
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))["graceful_timeout"]


def test_service_finds_the_pods_and_their_port(manifests, container):
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    service = manifests["Service"]["spec"]
    (port,) = container["ports"]

    assert manifests["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert service["selector"] == labels
    assert [each["targetPort"] for each in service["ports"]] == [port["name"]]
    assert str(port["containerPort"]) == re.search(r"PORT=(\d+)", DOCKERFILE)[1]
    assert str(port["containerPort"]) == re.search(r"EXPOSE (\d+)", DOCKERFILE)[1]


def test_pod_runs_as_the_user_of_the_image_and_writes_only_to_tmp(pod, container):
    user, group = re.search(r"USER (\d+):(\d+)", DOCKERFILE).groups()

    assert pod["securityContext"]["runAsUser"] == int(user)
    assert pod["securityContext"]["runAsGroup"] == int(group)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108


def test_variables_are_settings_and_name_a_model_of_the_image(environ):
    settings = Settings.load(environ, {})

    assert (ROOT / settings.model_dir / "champion.json").is_file()


def test_probes_ask_for_what_they_are_about(container, model_of_image):
    client = create_app({"MODEL_DIR": model_of_image}).test_client()
    paths = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }

    assert {client.get(path).status_code for path in paths.values()} == {200}
    assert paths["readinessProbe"] == "/health/ready"
    assert paths["livenessProbe"] == "/health/live"
    (port,) = container["ports"]
    assert all(container[name]["httpGet"]["port"] == port["name"] for name in paths)


@pytest.fixture(scope="module")
def model_of_image(environ):
    """Return the folder of the model that the pod serves."""
    return ROOT / environ["FRAUDSCORE_MODEL_DIR"]


def test_unready_pod_leaves_the_service_before_the_drain_is_over(container, environ):
    probe = container["readinessProbe"]
    noticed = probe["failureThreshold"] * probe["periodSeconds"] + probe["timeoutSeconds"]

    assert noticed < Settings.load(environ, {}).drain_seconds


def test_grace_outlasts_draining_and_stopping(pod, environ, graceful_seconds):
    drain_seconds = Settings.load(environ, {}).drain_seconds

    assert pod["terminationGracePeriodSeconds"] > drain_seconds + graceful_seconds


def test_compose_drains_and_then_outlasts_the_stopping(graceful_seconds):
    service = COMPOSE["services"]["fraudscore"]
    (hook,) = service["pre_stop"]

    assert hook["command"] == ["python", "-m", "app", "drain"]
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace > graceful_seconds + Settings().drain_seconds


def test_stop_hooks_are_a_command_that_exists(container):
    (hook,) = COMPOSE["services"]["fraudscore"]["pre_stop"]
    commands = [container["lifecycle"]["preStop"]["exec"]["command"], hook["command"]]

    for python, *arguments in commands:
        assert python == "python"
        found = subprocess.run(  # noqa: S603 (our own interpreter and module)
            [sys.executable, *arguments, "--help"], cwd=ROOT, capture_output=True, check=False
        )
        assert found.returncode == 0, shlex.join(arguments)
