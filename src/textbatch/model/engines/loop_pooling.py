"""Pooling over the states of a text, computed along with the steps of the loop."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from textbatch.model.engines.graph_builder import Graph
from textbatch.model.engines.loop_layers import State
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.onnx_graph import BELOW_STATES

#: The value that each running pooling begins with, by the name of its state.
START = {"sum": np.float32(0), "max": BELOW_STATES}
_STATES = {"mean": "sum", "max": "max"}


def pooling_states(architecture: Architecture) -> list[State]:
    """The running sum and the running maximum, if the network needs them.

    Texts with equal beginnings share them.
    """
    units = architecture.layers[-1].units
    return [
        (_STATES[kind], TensorProto.FLOAT, units)
        for kind in architecture.poolings
        if kind in _STATES
    ]


def add_pooling(graph: Graph, architecture: Architecture) -> None:
    """Add the pooling of the last layer's states.

    Its result is `leaving`: what the dense layer reads, for the rows that end in this step.

    Args:
        graph: Where the nodes go.
        architecture: The network.
    """
    last, poolings = f"{architecture.stack()[-1].name}.out", architecture.poolings
    names = ["leaving"] if len(poolings) == 1 else [f"leaving.{kind}" for kind in poolings]
    for kind, name in zip(poolings, names, strict=True):
        if kind == "last":
            graph.add("Gather", f"{last} ends", name)
        elif kind == "max":
            graph.add("Max", f"max {last}", "max.out")
            graph.add("Gather", "max.out ends", name)
        else:
            graph.add("Add", f"sum {last}", "sum.out")
            graph.add("Gather", "sum.out ends", "ended.sum")
            graph.constant("one", np.int64(1))
            graph.add("Add", "level one", "count")
            graph.add("Cast", "count", "length", to=TensorProto.FLOAT)
            graph.add("Div", "ended.sum length", name)
    if len(names) > 1:
        graph.add("Concat", " ".join(names), "leaving", axis=1)
