"""Progress and tables on the terminal, at most 80 columns wide.

* `progress`, `pace`: how far a run is, how fast it is, how long it will take.
* `epochs`: how far a training is.
* `recorder`: how far a run was when.
* `tables`: tables of `evaluate` and `inspect`.
* `multi_label`: those where a row has any number of labels.
* `releases`: tables of `promote`, and the versions of a model.
* `rows`: rows of a table, as wide as the terminal.
* `audit`, `calibrating`, `diffing`, `profiling`, `tuning`: tables of these commands.
"""
