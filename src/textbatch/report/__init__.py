"""What a run shows: its report, its progress, its tables and pages.

* `scoring`, `training`, `evaluation`, `tuning`, `audit`, `vectors`: the report of each command.
* `importing`, `exporting`: the reports of `import` and `export`.
* `promotion`: the reports of `promote` and `rollback`.
* `diffing`, `reviewing`, `profiling`, `calibrating`: the reports of `diff`, `review`, `profile` and
  `calibrate`.
* `multi_label`: the reports where a row has any number of labels.
* `inspection`, `inspection_sets`, `verification`: what `inspect` and `verify` find.
* `folds`: a cross-validation in one line.
* `learning_curve`: what more rows would bring.
* `next_steps`: the command that may come next.
* `speed`: what int8 and early exit change, in words.
* `comparison`: a model beside simple models.
* `drift`: how a run differs from the rows that its model was measured on, in words.
* `priors`: whether answers were adapted to another mix of labels, in words.
* `confusions`: the commonest confusions of labels.
* `known_rows`: a warning of rows that the model was trained on.
* `long_texts`: a note where many texts were cut.
* `labels`: labels that look different where they are different.
* `inline`: reports as a notebook shows them.
* `files`: reports as JSON files, written on failure too.
* `listener`: gets messages and progress of a job.
* `options`: options about reports.
* `terminal`: progress and tables.
* `html`: pages.
"""
