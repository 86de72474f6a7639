"""The path of `train`; `tune`, `audit`, `vectors`, `from_keras`, `import_keras`.

* `api`, `search_api`, `from_keras`: the functions for Python.
* `config`: the options of each command.
* `train`, `multi_label`: the path of a training, for one label on a row and for any number.
* `run`: what travels through a training.
* `split`: labelled rows, split without leaks.
* `unlabelled`: the files of `--unlabelled`.
* `recipes`: presets, settings files, the space of settings that `tune` searches.
* `fit`: from labelled rows to a fitted network.
* `augment`: altered and made-up texts beside the training rows.
* `self_training`, `teacher`: learning from unlabelled texts, and from another model's answers.
* `update`: going on from a model with new rows.
* `cross_fit`: every row teaches, and every row measures.
* `cross_validation`, `out_of_fold`: folds before a single split, and the predictions of folds.
* `fold_processes`, `fold_progress`: folds in processes of their own, and what runs inside them.
* `long_texts`: which part of long texts is used.
* `linear`, `calibrate`: the linear model beside the network, and the temperature.
* `package`: from a fitted network to a measured bundle on disk.
* `imported`: a bundle from the files of a Keras model.
* `import_keras`: a bundle from a network that was made elsewhere.
* `tune`, `audit`, `vectors`: the paths of these commands.
"""
