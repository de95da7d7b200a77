"""Each lock installs into an empty environment, with the oldest pip, with Python's own and with uv.

As the package index may be tomorrow: whatever is pinned with an extra has a newer release there.
"""

import os
import re
import subprocess
import sys
import zipfile
from functools import partial

import pytest

from tests.locks import LOCKS, ROOT, pins, read_lock

OLDEST_PIP = "22.3"

pytestmark = pytest.mark.install


def run(*command, **environ):
    """Run a command; return what it printed."""
    done = subprocess.run(  # noqa: S603
        [str(part) for part in command],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture
def python(tmp_path):
    """Return the interpreter of an empty environment, in a path with a space."""
    run(sys.executable, "-m", "venv", tmp_path / "an environment")
    return tmp_path / "an environment" / "bin" / "python"


@pytest.fixture
def tomorrow(tmp_path):
    """Return variables by which pip and uv find newer releases of what is pinned with an extra."""
    folder = tmp_path / "newer"
    folder.mkdir()
    for pin in {
        pin.name: pin for name in LOCKS for pin in pins(read_lock(name)) if pin.extras
    }.values():
        stem = f"{pin.name.replace('-', '_')}-9999"
        extras = "".join(f"Provides-Extra: {extra}\n" for extra in sorted(pin.extras))
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: {pin.name}\nVersion: 9999\n{extras}"
            wheel.writestr(f"{stem}.dist-info/METADATA", about)
            wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{stem}.dist-info/RECORD", "")
    known = os.environ.get("PIP_FIND_LINKS", "")
    return {"PIP_FIND_LINKS": f"{known} {folder}".strip(), "UV_FIND_LINKS": str(folder)}


def with_oldest_pip(python):
    """Return how this version installs."""
    if sys.version_info >= (3, 12):
        pytest.skip(f"pip {OLDEST_PIP} does not run on Python 3.12 and newer")
    run(python, "-m", "pip", "install", "--quiet", f"pip=={OLDEST_PIP}")
    return with_own_pip(python)


def with_own_pip(python):
    """Return how the pip that came with the interpreter installs."""
    return partial(run, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def with_uv(python):
    """Return how uv installs."""
    run(python, "-m", "pip", "install", "--quiet", "uv")
    return partial(run, python.with_name("uv"), "pip", "install", "--quiet", "--python", python)


@pytest.mark.parametrize("installer", [with_oldest_pip, with_own_pip, with_uv])
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_installs_into_an_empty_environment(python, tomorrow, installer, lock):
    install = installer(python)

    install("--require-hashes", "-r", ROOT / "requirements" / f"{lock}.lock", **tomorrow)

    run(python, "-m", "pip", "check")


def test_lock_without_the_extras_would_not(python, tomorrow, tmp_path):
    """What broke: pip looked for the newest coverage[toml], for which there is no hash."""
    install = with_oldest_pip(python)
    lock = tmp_path / "dev.lock"
    lock.write_text(re.sub(r"^(coverage)\[toml\]", r"\1", read_lock("dev"), flags=re.MULTILINE))

    with pytest.raises(AssertionError, match="must have their versions pinned"):
        install("--dry-run", "--require-hashes", "-r", lock, **tomorrow)
