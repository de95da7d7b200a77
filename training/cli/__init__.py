"""The command line of training: ``python -m training COMMAND``.

======================  ==========================================================
``commands``            every command with its options; imports nothing heavy, so
                        that ``--help`` answers at once
``announcement``        what is read and how large it is, said before anything else
``options``             options that several commands share, and what they mean
``runs``                what the commands that learn do: explore, train, retrain, tune
``models``              what the commands on finished models do: predict, score, …
``terminal``            the terminal itself: the console, counters of rows
``console``             what a run prints
``versions``            what ``versions`` prints
``search_console``      what a search for settings prints
======================  ==========================================================
"""
