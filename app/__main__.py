"""``python -m app``: what an operator tells a running service from beside it."""

from __future__ import annotations

import argparse
import os
import sys

from app.config import Settings
from app.drain import drain, undrain
from app.run_dir import locate
from model.errors import FraudscoreError


def main() -> None:
    """Run a command; what cannot work ends in one line."""
    arguments = _parser().parse_args()
    directory = locate(os.environ)
    try:
        if arguments.command == "undrain":
            undrain(directory)
        else:
            seconds = {} if arguments.seconds is None else {"DRAIN_SECONDS": arguments.seconds}
            drain(directory, Settings.load(os.environ, seconds).drain_seconds)
    except FraudscoreError as error:
        sys.exit(f"fraudscore cannot {arguments.command}: {' '.join(str(error).split())}")


def _parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    parser = argparse.ArgumentParser(prog="python -m app")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    draining = commands.add_parser(
        "drain", help="answer /health with 503 in every worker, wait, and go on scoring"
    )
    draining.add_argument("--seconds", metavar="N", help="instead of FRAUDSCORE_DRAIN_SECONDS")
    commands.add_parser("undrain", help="call a drain off")
    return parser


if __name__ == "__main__":
    main()
