"""Files that Keras and its users write, read as data. Nothing in them is run or imported.

* `safe_pickle`: a small interpreter of pickles, which builds plain values only.
* `pickle_names`: the names that a pickle may hold.
* `pickle_opcodes`: its opcodes.
* `saved_object`: pickle or joblib, plain or compressed.
* `tokenizer_file`: a Tokenizer.
* `labels_file`: the labels.
* `hdf5_file`: HDF5, under limits.
* `vectorization`: a TextVectorization layer.
* `keras_layers`: what was read of a network.
* `network_file`: layers and weights, of `.keras` and `.h5`.
* `live_objects`: networks and tokenizers in memory.
* `layer_chain`: the layers of a model's config, in the order of computation.
"""
