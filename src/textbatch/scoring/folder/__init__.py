"""Scoring many files: one task for each file, one model, one ledger.

* `run`: the path.
* `share_run`, `finish`: the path of one of several processes without a driver, and their end.
* `planned_parts`: the plan as a file, and the parts that are there.
* `planned_drift`: what `finish` compares the rows with.
* `planned_series`: the rows of all shares as one run of a series.
* `spread`: the files are scored, one after the other or several at a time.
* `shards`: cuts the input into shards, where asked.
* `plan`: which files are to be scored.
* `job`: the job itself, and what of it is done already.
* `ending`: how it takes its output, and how it ends.
* `bad_files`: the files that cannot be scored; all are named, or set aside.
* `json_columns`: one schema for all JSON Lines files.
* `checks`: what is checked before the first file is scored.
* `owned`: which files of the output may be replaced or removed.
* `notes`: what is told of the files.
* `side_by_side`: many small questions to a store, several at the same time.
* `parts`: what the ledger notes of a part.
* `totals`: the counts and the progress of all files together.
"""
