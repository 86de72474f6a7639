"""The path of `score`; `evaluate`, `inspect`, `verify`.

* `api`, `evaluate_api`, `model_api`, `compare_api`, `loading`: the functions for Python.
* `config`, `beside_options`, `shard_options`, `cache_options`, `drift_options`, `show_options`: the
  options of
  `score` and `evaluate`, and of `show` and `predict`.
* `table_options`: those of `score` for a table in memory.
* `spread_options`: those of who scores.
* `score`: a run and its report.
* `file_task`: what is to be done with one file, and what came of it.
* `score_file`: the path of one file.
* `wanted`: whether a task is still wanted, and whose turn it is.
* `folder`: many files.
* `backends`: who scores them: this process, or several.
* `remote_output`, `stdout_output`: one file into an object store, or to standard output.
* `job`: what is found out before the first row of a file.
* `journals`: the journal of a file.
* `prior_pass`, `prior_options`: `--adapt-priors`, the first of its two passes.
* `existing`: whether the output is there already.
* `model_handle`, `bundles`: the model or the models, loaded once for all files.
* `model_reports`: what the report says of each model.
* `chunks`, `read_ahead`: reading and predicting, chunk by chunk.
* `chunk_predictor`: what predicts the chunks: this process, or several.
* `answer_cache`, `cached_predictor`: answers that earlier runs have computed.
* `bad_row_filter`: bad rows, kept or moved to the quarantine file.
* `label_sets`, `label_set_options`: `--label-sets`.
* `precision`: `--min-precision`, and the labels that it always withholds.
* `drift_history`: a run as one of a series.
* `drift_gate`: whether the rows are like those that the models were measured on.
* `limits`: how many rows there must be, and how much room on the disk.
* `tally`, `set_counts`: counting rows.
* `multi_label`, `evaluate_multi`: models that give a row any number of labels.
* `differences`: in what an output that is there differs from what a job would make.
* `in_memory`: a loaded model, for tables in memory.
* `scorer`: what an engine sends to its workers, to score tables there.
* `python_values`: texts and tables of Python callers.
* `export`, `export_options`: the path of `export`, and its options.
* `migrate`: `inspect --migrate`.
* `diff`: what has changed between two outputs, or two models.
* `profile`: what texts are like, and how others differ.
* `review`: which rows people should label next.
* `confidences`: the path of `calibrate`.
* `output_files`: the files of an output.
* `releases`: versions of a model: `promote` and `rollback`.
* `surest_errors`: the surest mistakes, with the words that carried them.
* `evaluate`, `inspect`, `verify`, `show`, `predict`: the commands of these names.
"""
