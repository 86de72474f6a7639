"""Fits a network: mini-batches, early stopping, checkpoints.

* `settings`: the values that fitting takes and gives; imports nothing heavy.
* `fit`: fits a network with Keras, epoch by epoch.
* `batches`: mini-batches of rows of similar length.
* `early_stopping`: which epoch is the best, and whether another one should follow.
* `averaging`: the running mean of the weights.
* `checkpoint`: the state of an interrupted training.
"""
