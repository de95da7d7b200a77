"""The command line of training: ``python -m training COMMAND``."""

from training.cli.commands import main

if __name__ == "__main__":
    main(prog_name="python -m training")
