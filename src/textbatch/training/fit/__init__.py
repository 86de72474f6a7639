"""From labelled rows to a fitted network.

* `fit`: the path: vocabulary, word vectors, network.
* `vector_sources`: the sources of word vectors that have a name or are files.
* `embedding`: the words that a model knows, and their vectors from all sources.
* `network`: one network, fitted epoch by epoch.
* `fitted`: what a network begins with, and what fitting gives.
* `augmentation_trial`: with and without augmentation; the better network is kept.
* `resume`: the checkpoint of a training.
"""
