"""Releases of a model: `promote` and `rollback`.

* `options`: the options of both.
* `requirement`: what `--require` says.
* `comparison`: two models on the same rows.
* `folder`: the folder of releases, as it is written.
* `promote`, `rollback`: the two commands.
"""
