"""nginx and HAProxy in front of a service; connections are kept on both sides."""

import contextlib
import os
import shutil
import signal
import subprocess

import pytest

from benchmarks.slow_redis import is_open
from tests.app.gunicorn import DEADLINE_S, wait_for
from tests.app.ports import free_port

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/client_body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    upstream service {{
        server 127.0.0.1:{behind};
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""

HAPROXY = """
global
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend public
    bind 127.0.0.1:{port}
    default_backend service
backend service
    server one 127.0.0.1:{behind}
"""


@contextlib.contextmanager
def nginx(folder, behind):
    """Run nginx in front of a port; yield its own port."""
    command = _program("nginx")
    with _running([command, "-c", "{file}", "-p", str(folder)], NGINX, folder, behind) as port:
        yield port


@contextlib.contextmanager
def haproxy(folder, behind):
    """Run HAProxy in front of a port; yield its own port."""
    command = _program("haproxy")
    with _running([command, "-q", "-db", "-f", "{file}"], HAPROXY, folder, behind) as port:
        yield port


@contextlib.contextmanager
def nothing(folder, behind):  # noqa: ARG001 (one signature for all fronts)
    """Let clients reach the service itself."""
    yield behind


FRONTS = {"directly": nothing, "nginx": nginx, "haproxy": haproxy}


def _program(name):
    """Return the path of a program, also of one that only root is expected to call."""
    path = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt install {name})")
    return path


@contextlib.contextmanager
def _running(command, configuration, folder, behind):
    port = free_port()
    file = folder / "proxy.conf"
    file.write_text(configuration.format(folder=folder, behind=behind, port=port))
    process = subprocess.Popen(  # noqa: S603 (found above)
        [part.format(file=file) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: process.poll() is not None or is_open(port), f"{command[0]} to listen")
        assert process.poll() is None, f"{command[0]} did not start"
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE_S)
