"""The model: everything that a bundle holds, and what computes its answers.

* `predictor`, `predictors`: from texts to calibrated probabilities, by one model or several.
* `replay`: the golden rows of a bundle, answered again.
* `export`: a model in the forms of other programs.
* `distinct_texts`: the texts of a chunk, each once.
* `statuses`: what becomes of a text before any model sees it.
* `beside`, `explain`: what is told of a row beside its probabilities; the words that carried it.
* `pending`: a chunk whose predictions are being computed.
* `engines`: what runs the network: ONNX Runtime or Keras.
* `vectors`: word vectors, trained or read from files.
* `fitting`: fits a network, with checkpoints.
* `bundle`: a model as a directory of data.
* `network`: the network in Keras and as an ONNX graph, and its weights.
* `linear`: the linear model beside the network.
* `keras_files`: files of Keras, read as data.
* `quality`: metrics, calibration, thresholds, drift.
* `choices`, `options`: the values that options may have, and options of several commands.
* `named_models`: the places of one model, or of several with names.
* `layout`: the names of the files of a bundle.
"""
