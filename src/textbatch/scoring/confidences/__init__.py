"""The path of `calibrate`: confidences of any table, compared with the truth and mended.

* `options`: the options.
* `answers`: reads labels and confidences, and finds the truth of each row.
* `calibrate`: the path, and its output.
"""
