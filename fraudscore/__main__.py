"""``python -m fraudscore`` is the command ``fraudscore``."""

from fraudscore.commands import main

if __name__ == "__main__":
    main()
