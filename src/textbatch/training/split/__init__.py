"""Labelled rows, split so that nothing leaks from the training rows into the others.

* `dataset`: reads the rows and splits them; the entrance of this package.
* `labels`: merges spellings of labels, and leaves out or folds rare ones.
* `multi_label`: rows with any number of labels, split.
* `stratified`: splits and folds that keep each label's share.
* `near_duplicates`: texts that must stay on one side of a split.
* `minhash`: finds texts that are nearly equal.
"""
