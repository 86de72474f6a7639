"""Inputs as streams of record batches.

* `source`: opens a file of any format; the entrance of this package.
* `listing`, `inputs`: which files a command reads.
* `read_options`: how they are read.
* `parquet`, `parquet_readers`, `row_groups`, `pages`, `thrift_compact`: Parquet.
* `parquet_types`, `parquet_int96`, `parquet_faults`: types that Arrow lacks, and damaged files.
* `delimited`, `delimited_rows`, `quoting`, `swallowed`, `delimited_advice`: CSV and TSV.
* `jsonlines`, `json_blocks`, `json_types`, `json_numbers`, `json_diagnosis`: JSON Lines.
* `compressed`, `encodings`, `text_lines`, `foreign`: bytes and text of files.
* `text_column`, `broken_texts`, `nested`, `column_names`: columns of any Arrow type.
* `chunks`, `prefetch`, `read_progress`: batches of limited size, reading ahead, progress.
* `hive_partitions`: folders named `key=value`.
* `labelled`, `unlabelled`: what training reads.
* `bad_rows`: rows that cannot be read.
* `identity`: recognises an input and a job.
* `stdin`: standard input as a file.
"""
