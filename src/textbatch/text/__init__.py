"""From text to token ids. Pure: only numpy and pyarrow.compute.

* `choices`: choices of options.
* `characters`: which characters vanish, separate tokens, or are tokens of their own.
* `character_classes`: the table of them.
* `normalization`: the rules by which a text becomes tokens.
* `keras_text`: the rules of a Keras Tokenizer instead.
* `vectorized_text`: those of a TextVectorization layer.
* `vocabulary`: the tokens that a model knows, and their ids.
* `tokenizer`: texts to token ids, a chunk at a time.
* `long_texts`: texts with more tokens than the network reads.
* `bucketing`: mini-batches of rows of similar length.
"""
