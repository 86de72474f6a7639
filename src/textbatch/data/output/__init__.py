"""Outputs that appear whole or not at all.

* `columns`: the columns that `score` adds: the data contract.
* `parquet_file`, `seal`: one Parquet file, committed in one step, and its seal.
* `footer`, `footer_schemas`, `records`: what an output says about itself.
* `work_directory`: the lock beside an output.
* `journal`, `text_digest`: the predictions of an interrupted run, and the texts that they answer.
* `quarantine`: bad rows that leave the output.
* `folder`, `remote_folder`, `any_folder`: outputs of several parts.
* `ledger`: the finished parts of a folder job.
* `small_table`: small tables, as Parquet or CSV.
"""
