"""The network, in Keras and as an ONNX graph; its weights.

* `architecture`: sizes and shapes, as data.
* `sizes`: how large the weights may be.
* `keras_network`: the network in Keras.
* `onnx_graph`: the network as an ONNX graph.
* `as_architecture`: a chain as an architecture.
* `chain`: a chain of layers that was made with Keras, as data.
* `chain_graph`, `chain_recurrent`, `chain_nodes`: such a chain as an ONNX graph.
* `weights`: the tensors, as one safetensors file.
* `keras_backend`: imports Keras late and without its messages.
"""
