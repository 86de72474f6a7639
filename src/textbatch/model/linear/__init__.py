"""The linear model: what it looks at, how it is fitted, how much of it is added to the network.

* `text_model`: the whole model: from tokens to margins.
* `classifier`: TF-IDF with a support vector machine or logistic regression.
* `ngrams`: its features: words and pairs of words.
* `character_ngrams`, `ngram_features`: its other features: parts of words.
* `text_characters`: the same across the borders of words.
* `mean_vectors`: the mean vector of a text's words, as further features.
* `row_sums`: its sparse product.
* `hash_index`: finds 64-bit keys in an array.
* `blend_weight`: the weight of the margins beside the network's logits.
* `early_exit`: which rows it answers alone.
* `vector_trial`: whether word vectors tell more than words do.
"""
