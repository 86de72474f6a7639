"""Word vectors: trained here or read from files, and put together into one table.

* `types`: `WordVectors`, and the settings of their training.
* `word2vec`: vectors trained on the training texts.
* `corpus`, `corpus_training`: vectors trained on any amount of text, on disk.
* `vectors_file`: reads files of others: word2vec, GloVe, fastText.
* `text_rows`, `fasttext_file`, `record_buffer`, `kept_rows`: the parts of this reader.
* `named`: facts about sources that have a name.
* `word_pieces`, `piece_table`: vectors of words from those of their pieces.
* `combine`: the words and vectors of several sources as one vocabulary and one table.
* `coverage`: the share of words that each source has a vector for.
* `file_progress`: how much of a file another library has read.
"""
