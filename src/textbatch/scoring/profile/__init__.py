"""The path of `profile`: what the texts of a file are like, and how those of another one differ.

* `options`: the options.
* `profile`: the path, and its report.
* `side`: one file or folder, counted as a stream.
"""
