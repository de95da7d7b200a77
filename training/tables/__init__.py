"""Files and data frames as one kind of table: columns of Arrow arrays, read as often as needed.

===============  ==========================================================================
``files``        which files a path means: one, a folder of parts, or a pattern
``dialect``      how a CSV file is written: encoding, separator, quotes, names
``delimited``    a CSV file as columns of texts
``parquet``      a Parquet file as columns of its types
``frames``       a data frame as columns of Arrow types
``plain``        what an Arrow type is here: text, number, moment, truth, or left out
``source``       all of these, by one interface
===============  ==========================================================================

What a column of texts means (numbers, dates, categories) is decided by ``training.cells``, and for
all columns of a table by ``training.columns``.
"""
