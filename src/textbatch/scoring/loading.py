"""Loading a model, for callers in Python.

`python -m tools.python_api` writes the parameters from the class of options.
"""

from __future__ import annotations

from textbatch.data.storage.location import PathLike, location_of
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.model.options import EngineOptions
from textbatch.scoring.in_memory import Model, open_model
from textbatch.text.choices import OnLong


def load(
    path: PathLike,
    *,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
) -> Model:
    """Load a bundle: check its files, and check that it predicts its golden rows as before.

    Args:
        path: The bundle's directory, also in an object store.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.

    Returns:
        The loaded model. It owns threads: use it in a `with` statement, or close it.

    Raises:
        BundleError: The bundle is missing, damaged or unsafe.
        ConflictError: A GPU was asked for and there is none.
    """
    return open_model(location_of(path), EngineOptions.given(locals()))
