"""The options about who scores the files of a folder."""

from __future__ import annotations

from textbatch.data.choices import BackendName
from textbatch.errors import ConflictError
from textbatch.model.choices import DeviceName
from textbatch.options import Options, option, options


@options
class SpreadOptions(Options):
    """Who scores the files of a folder. The bytes are the same, whoever does.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    jobs: int = option(
        "Workers that share the files of a folder, or the rows of a file.",
        default=1,
        low=1,
        high=1024,
        decides=False,
    )
    backend: BackendName = option(
        "Whose workers: processes of this machine, or of a cluster.", default="local", decides=False
    )
    address: str | None = option(
        "Address of the cluster, such as tcp://host:8786.",
        default=None,
        unset="what its library finds, else this machine",
        of=str,
        decides=False,
    )
    gpus_per_worker: float = option(
        "GPUs that Ray gives to each worker.", default=0.0, low=0.0, high=64.0, decides=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.address is not None and self.backend == "local":
            raise ConflictError(
                "--address names a cluster, and --backend is local",
                "name its kind with --backend ray, dask or spark",
            )
        if self.gpus_per_worker and self.backend != "ray":
            raise ConflictError(
                "--gpus-per-worker is for --backend ray", "leave it out, or take that"
            )

    def check_device(self, device: DeviceName) -> None:
        """Check that the workers have what they are to run on.

        Args:
            device: Where the network is to run.

        Raises:
            ConflictError: They have not.
        """
        if device != "gpu":
            return
        if self.backend == "ray" and not self.gpus_per_worker:
            raise ConflictError(
                "--device gpu under --backend ray: Ray has to know of it", "add --gpus-per-worker 1"
            )
        if self.backend == "local" and self.jobs > 1:
            raise ConflictError(
                "--jobs is for CPUs: several processes on one GPU have no room for each other",
                "leave --jobs or --device out",
            )
