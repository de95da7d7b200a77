"""The audit of the dependencies fails where it cannot know."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_audit_fails_where_no_vulnerability_service_answers(tmp_path):
    """Send it through a proxy that is not there, without answers that it kept from earlier."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        caches = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "PIP_CACHE_DIR"), str(tmp_path))
        proxies = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", "no_proxy": ""}
        command = ["make", "-o", ".venv/.dev", "audit", f"BIN={Path(sys.executable).parent}"]
        done = subprocess.run(  # noqa: S603 (our own command)
            command, cwd=ROOT, env=os.environ | caches | proxies, capture_output=True, text=True
        )

    assert done.returncode != 0
    assert proxy.rpartition(":")[2] in done.stderr
    assert "audit: not passed" in done.stderr
    assert "No known vulnerabilities" not in done.stderr
