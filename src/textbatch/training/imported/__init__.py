"""Models that were made with Keras: files in, a bundle out. Nothing of the files is run.

* `layers`: the layers of a file as a chain, with their weights in a bundle's layout.
* `layer_readers`: one layer of Keras.
* `as_architecture`: a chain as the kind of network that textbatch trains.
* `recurrent_weights`: the weights of recurrent layers.
* `words`: the words of a tokenizer, and the embedding table in their order.
* `card`: the model card.
* `model_import`: the path of `import`.
"""
