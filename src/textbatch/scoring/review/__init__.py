"""The path of `review`: which rows of an output people should label next.

* `options`: the options.
* `review`: the path, and its report.
* `choose`: the choice, without copies.
"""
