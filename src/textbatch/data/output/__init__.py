"""Outputs that appear whole or not at all.

* `columns`: the columns that `score` adds: the data contract.
* `label_sets`: the one with sets of labels.
* `label_lists`: those of a model that gives a row any number of labels.
* `explanations`: one of them, the words that carried a label.
* `output_writer`, `output_format`: one file, committed in one step; what its name says.
* `kept_types`: the columns whose types an output does not keep.
* `any_output`: what writes an output of any format, its seal, and what it says about itself.
* `parquet_file`, `seal`: Parquet, and the seal in its footer.
* `text_file`, `seal_record`: CSV and JSON Lines, and the seal beside them.
* `csv_rows`, `json_rows`, `cell_values`, `compressor`: from rows to the bytes of these.
* `read_back`: such an output, row by row.
* `footer`, `footer_schemas`, `records`: what an output says about itself.
* `same_records`: whether two of them say the same.
* `answer_counts`: what it says of each of several models.
* `drift_history`: the file of a series of runs.
* `signs`: what it tells of texts and answers, to compare them with others.
* `adapted`: what it tells of the mix of labels that answers were adapted to.
* `work_directory`, `holder`: the lock beside an output; who holds it, as workers see it.
* `shard_plan`, `shared_lock`: the plan of processes without a driver, and their common lock.
* `journal`, `packed_answers`, `text_digest`: the predictions of an interrupted run, and the texts
  that they answer.
* `quarantine`: bad rows that leave the output.
* `folder`, `remote_folder`, `any_folder`: outputs of several parts.
* `ledger`, `leftovers`: the finished parts of a folder job; what dead runs left beside parts.
* `small_table`: small tables, as Parquet or CSV.
"""
