"""Inputs as streams of record batches.

* `source`: opens a file of any format; the entrance of this package.
* `listing`, `inputs`: which files a command reads.
* `table_formats`, `delta_table`: folders that are tables, with files that are not read.
* `read_options`: how they are read.
* `parquet`, `parquet_readers`, `row_groups`, `pages`, `chunk_metadata`, `thrift_compact`: Parquet.
* `parquet_types`, `arrow_schema`, `unknown_types`, `parquet_int96`, `parquet_faults`: types that
  Arrow lacks, and damaged files.
* `spark_notes`: what Spark needs to know of old timestamps.
* `delimited`, `delimited_rows`, `delimiters`, `quoting`, `swallowed`, `delimited_advice`: CSV.
* `jsonlines`, `json_blocks`, `json_types`, `json_numbers`, `json_fractions`, `json_diagnosis`:
  JSON Lines.
* `compressed`, `encodings`, `utf8_pieces`, `text_lines`, `foreign`: bytes and text of files.
* `text_column`, `broken_texts`, `nested`, `column_names`, `plain_numbers`: columns of any type.
* `chunks`, `prefetch`, `read_progress`: batches of limited size, reading ahead, progress.
* `partitions`, `hive_partitions`: folders named `key=value`.
* `labelled`, `labelled_rows`, `unlabelled`: what training reads.
* `label_columns`, `label_values`, `class_labels`: labels.
* `multi_labels`: any number of labels on a row.
* `soft_labels`, `label_shares`, `row_weights`: labels that are not sure, rows that count more.
* `bad_rows`, `row_numbers`: rows that cannot be read, and rows by their numbers in messages.
* `shard_file`, `shard_source`: row groups of several files as one input.
* `identity`: recognises an input and a job.
* `stdin`: standard input as a file.
"""
