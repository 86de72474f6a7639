"""The network: its word vectors, its training, its bundle and the engines that run it."""
