"""Scoring many files: one task for each file, one model, one ledger.

* `run`: the path, file after file.
* `plan`: which files are to be scored.
* `job`: the job itself, and how it ends.
* `json_columns`: one schema for all JSON Lines files.
* `checks`: what is checked before the first file is scored.
* `owned`: which files of the output may be replaced or removed.
* `notes`: what is told of the files.
* `totals`: the counts and the progress of all files together.
"""
