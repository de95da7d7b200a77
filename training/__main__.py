"""The command line of training: ``python -m training COMMAND``."""

from training.cli.commands import main
from training.program import PROGRAM

if __name__ == "__main__":
    main(prog_name=PROGRAM)
