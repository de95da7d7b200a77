"""The command ``fraudscore``, which serves, operates, trains and scores.

The wheel has ``app``, ``model``, ``training`` and the shipped models in this package; in a checkout
they stand beside it (see ``setup.py``).
"""
