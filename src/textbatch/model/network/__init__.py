"""The network, in Keras and as an ONNX graph; its weights."""
