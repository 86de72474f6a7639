"""The path of `score`; `evaluate`, `inspect`, `verify`.

* `config`: what `score` and `evaluate` are asked to do; `api`: the same for Python.
* `score`: a run and its report. `folder`: many files. `remote_output`: one file in a store.
* `file_task`: one file's task, and what came of it. `score_file`: its path.
* `job`: what is found out before the first row. `model_handle`: the model, loaded once.
* `chunks`: reading and predicting. `bad_row_filter`, `limits`: bad rows. `tally`: counting.
* `in_memory`, `python_values`: tables in memory.
* `evaluate`, `inspect`, `verify`: the commands of these names.
"""
