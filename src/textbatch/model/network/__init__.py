"""The network, in Keras and as an ONNX graph; its weights.

* `architecture`: sizes and shapes, as data.
* `keras_network`: the network in Keras.
* `onnx_graph`: the network as an ONNX graph.
* `weights`: the tensors, as one safetensors file.
* `keras_import`: a Keras network from elsewhere.
* `keras_backend`: imports Keras late and without its messages.
"""
