"""The backend that the options name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from textbatch.data.storage.location import Location
from textbatch.errors import MissingExtraError
from textbatch.model.named_models import NamedModels
from textbatch.scoring.backends.last_try import LastTryAlone
from textbatch.scoring.backends.port import Backend
from textbatch.scoring.config import ScoreConfig

#: What each extra brings; its name is that of the backend.
_LIBRARIES = {"ray": "ray", "dask": "distributed", "spark": "pyspark"}


def needs_workers(config: ScoreConfig, count: int) -> bool:
    """Whether other processes are to score.

    Args:
        config: The job's options.
        count: How many tasks there are.
    """
    return count > 0 if config.backend != "local" else min(config.jobs, count) > 1


def check_installed(config: ScoreConfig) -> None:
    """Check that the library of the backend is there, without importing it.

    Raises:
        MissingExtraError: It is not.
    """
    library = _LIBRARIES.get(config.backend)
    if library and find_spec(library) is None:
        raise MissingExtraError(f"--backend {config.backend}", library, config.backend)


def open_workers(
    config: ScoreConfig,
    count: int,
    model: Location | NamedModels,
    meanwhile: Callable[[], None],
) -> Backend:
    """Open the backend that the options name.

    Args:
        config: The job's options.
        count: How many tasks there are.
        model: Where the job's model stands: of releases the version that the job began with.
        meanwhile: Called now and then while it waits.

    Raises:
        TextbatchError: The cluster does not answer, or has no room.
    """
    # Without the options of the command line, which a worker has no use for.
    config = ScoreConfig(**config.in_common(ScoreConfig) | {"model": model})
    # Each is imported only when it is asked for.
    if config.backend == "ray":
        from textbatch.scoring.backends.ray_actors import RayActors

        return LastTryAlone(RayActors(config, most=count, meanwhile=meanwhile))
    if config.backend == "dask":
        from textbatch.scoring.backends.dask_workers import DaskWorkers

        return LastTryAlone(DaskWorkers(config, most=count, meanwhile=meanwhile))
    if config.backend == "spark":
        from textbatch.scoring.backends.spark_jobs import SparkJobs

        return LastTryAlone(SparkJobs(config, most=count, meanwhile=meanwhile))
    from textbatch.scoring.backends.cores import shares_of
    from textbatch.scoring.backends.local import LocalProcesses

    workers, threads = shares_of(config.jobs, config.threads, most=count)
    return LocalProcesses(config, workers=workers, threads=threads, meanwhile=meanwhile)
