"""A model in the forms of other programs.

* `exported`: a bundle in another form, compared with the bundle.
* `described`: what another program must know of a model: labels, vocabulary, rules of texts.
* `onnx_file`: one ONNX file, from token ids to probabilities.
* `onnx_linear`: the linear model in it.
* `onnx_nodes`: a list of nodes that is added to.
* `keras_file`: a `.keras` file, from token ids to probabilities.
* `keras_chain`: the network of a model that was made with Keras.
* `keras_linear`: the linear model as layers and operations.
* `saved_model`: a SavedModel of TensorFlow, from texts to labels.
* `tf_tokens`, `tf_characters`, `tf_subwords`, `tf_text_ngrams`: its tokenizer, the parts of unknown
  words, and character n-grams.
* `unicode_tables`: what is known of each character.
* `mlflow_directory`: a directory that MLflow loads.
"""
