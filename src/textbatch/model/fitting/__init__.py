"""Fits a network: mini-batches, early stopping, checkpoints.

* `settings`: the values that fitting takes and gives; imports nothing heavy.
* `fit`: fits a network with Keras.
* `early_stopping`: records epochs, and stops when the validation loss no longer falls.
* `averaging`: the running mean of the weights.
* `checkpoint`: the state of an interrupted training.
"""
