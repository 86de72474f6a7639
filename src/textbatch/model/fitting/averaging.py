"""The running mean of the weights, which is validated and kept instead of the weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class WeightMeans:
    """Puts the means of the weights into a network, and later the weights back.

    Keras's `SwapEMAWeights` swaps by adding and subtracting, which rounds. It also does not say
    which of the two a network holds. Copies are exact, so a resumed training ends with the same
    bits.

    Attributes:
        held: The weights, in the order of the trainable variables, while the network has their
            means; None while the network has the weights.
    """

    def __init__(self) -> None:
        self.held: list[NDArray[Any]] | None = None

    def put_in(self, network: keras.Model) -> None:
        """Put the means into the network."""
        if self.held is not None:
            return
        variables = network.trainable_variables
        # Keras has no public name for the means. Its own callback takes them from here too.
        means = network.optimizer._model_variables_moving_average
        self.held = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(mean)

    def take_out(self, network: keras.Model) -> None:
        """Put the weights back into the network."""
        if self.held is None:
            return
        for variable, value in zip(network.trainable_variables, self.held, strict=True):
            variable.assign(value)
        self.held = None
