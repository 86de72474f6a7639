"""The path of `diff`: what has changed between two outputs, or two models.

* `options`: the options.
* `diff`: the path, and its report.
* `outputs`: two outputs, in blocks of rows that belong together.
* `output`, `text_batches`: one output as a stream of answers.
* `truth`: the true labels beside them, from a file.
* `alignment`: streams cut into the same rows, and whether they are the same.
* `by_key`: rows brought together by a key, through files.
* `answers`: the answers of a block of rows.
* `tally`: what is counted of them.
* `examples`: the flips to look at first.
* `findings`, `remarks`, `quoted`: the report: numbers, warnings, cells that were asked for.
* `models`: two models on the same labelled rows.
"""
