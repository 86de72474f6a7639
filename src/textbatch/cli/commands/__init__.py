"""One file for each command.

* `train`, `score`, `evaluate`, `vectors`, `tune`, `audit`: the work.
* `inspect`, `verify`: models and outputs.
* `config`, `demo`: settings, and the tour.
"""
