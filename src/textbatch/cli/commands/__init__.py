"""One file for each command.

* `train`, `score`, `finish`, `evaluate`, `vectors`, `tune`, `audit`: the work.
* `model_import`, `export`: `import` and `export`.
* `promote`, `rollback`: releases of a model.
* `inspect`, `verify`, `show`, `diff`, `review`, `profile`, `calibrate`: models,
  outputs, files.
* `predict`: answers to a few texts.
* `config`, `demo`: settings, and the tour.
* `doctor`: what this machine has.
"""
