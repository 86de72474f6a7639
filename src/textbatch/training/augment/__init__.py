"""Augmentation: altered and made-up texts beside the training rows, other ones in each epoch.

* `sources`: reads the files of templates and synonyms; the entrance of this package.
* `rows`: the training rows of each epoch.
* `alterations`: swaps, deletes, misspells and replaces words.
* `templates`, `labelled_templates`: texts from patterns.
* `synonyms`, `nearest_words`: what words are replaced by.
"""
