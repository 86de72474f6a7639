"""Models that were made with Keras, in files or in memory, as bundles. Nothing of files is run.

* `source`: network and tokenizer, from files or from memory.
* `layers`: the layers of a file as a chain, with their weights in a bundle's layout.
* `layer_readers`: one layer of Keras.
* `recurrent_weights`: the weights of recurrent layers.
* `words`: the words of a tokenizer, and the embedding table in their order.
* `card`: the model card.
* `checks`: what is checked of an imported model.
* `model_import`: the path of `import`.
"""
