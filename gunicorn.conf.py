"""How Gunicorn runs the service: ``gunicorn -c gunicorn.conf.py`` is all there is to it."""

import os
import sys

# Workers and threads share the cores already. NumPy reads these once, when it is first imported.
for _library in ("OPENBLAS", "OMP", "MKL", "VECLIB"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

from app import run_dir as _run_dir  # noqa: E402 (it imports NumPy)
from app.output import open_standard_streams as _open_standard_streams  # noqa: E402 (likewise)
from app.setting_types import mount_path as _mount_path  # noqa: E402 (likewise)

_open_standard_streams()

_APP = _run_dir.__package__  # app here, fraudscore.app where it is installed
# Gunicorn's threads would take this from every path themselves, and answer 500 where it is missing.
_script_name = os.environ.pop("SCRIPT_NAME", "")
if _script_name:
    try:
        os.environ["FRAUDSCORE_MOUNT_PATH"] = _mount_path(_script_name)
    except ValueError as _error:
        sys.exit(f"fraudscore cannot start: SCRIPT_NAME {_error}")

os.environ[_run_dir.VARIABLE] = str(_run_dir.locate(os.environ))


def _number(name: str, default: int, highest: int) -> int:
    """Read a number from the environment; anything else ends the start in one line."""
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= highest):
        sys.exit(
            f"fraudscore cannot start: {name} must be a number from 1 to {highest}, not {text!r}"
        )
    return int(text)


wsgi_app = f"{_APP}:wsgi()"
_host = os.environ.get("HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{_number('PORT', 8000, 65535)}"
workers = _number("WEB_CONCURRENCY", 2, 512)
# The worker of this service, or Gunicorn's own threads: see app/worker/.
if os.environ.get("FRAUDSCORE_WORKER", "loop") == "gthread":
    worker_class = "gthread"
    threads = 4
    # Low on purpose: such a worker accepts until this is full, and a high number lets one collect
    # every kept-alive connection while the others idle. Four places stay free for new ones.
    worker_connections = 12
else:
    worker_class = f"{_APP}.worker.LoopWorker"
    worker_connections = 1000

timeout = 30  # silence of a whole worker, not the duration of a request
graceful_timeout = 25  # below the stop grace of the container
keepalive = (
    65  # longer than the idle time of the usual load balancer, which then never hits a close
)

# What proxies say is read by the application, in one place for both workers; Gunicorn itself
# believes nobody. The names of WSGI are not a client's to set, not even through a proxy.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers = {}

preload_app = True  # loaded and verified once; workers share the memory and restart from it
control_socket_disable = True  # it would need a writable home
# Never a disk. Where it takes no files, the master uses the run directory.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # nosec B108 # noqa: S108

# Gunicorn's own messages, in the form of the request lines that the application writes.
logconfig_dict = {
    "handlers": {"stdout": {"class": f"{_APP}.telemetry.LineHandler"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {"gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False}},
}


def on_starting(server):
    """Let the master go on where something that it needs cannot be had for a while."""
    from app.worker.master import Master

    Master.take_over(server, fallback=_run_dir.locate(os.environ))


def post_fork(server, worker):
    """Hand what the master says of its workers to each of them."""
    worker.starts = server.starts


def when_ready(server):
    """Claim the run directory, once the address is ours: whoever runs there is then gone."""
    from app.access.exposure import warn_if_exposed
    from model.errors import FraudscoreError

    try:
        path = _run_dir.locate(os.environ)
        _run_dir.claim(path, is_upgrade="GUNICORN_PID" in os.environ)
    except FraudscoreError as error:
        sys.exit(f"fraudscore cannot start: {error}")
    warn_if_exposed(listener.getsockname() for listener in server.LISTENERS)


def post_worker_init(worker):
    """Start what each worker does beside answering."""
    from app import begin_worker

    begin_worker(worker.wsgi, worker.starts)
