"""The model of a run: loaded when it is first needed, and once for any number of files."""

from __future__ import annotations

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import ModelUsed


class ModelHandle:
    """The bundle, and what runs it. Owns the predictor's threads: close it."""

    def __init__(self, config: ScoreConfig) -> None:
        """Nothing is loaded yet.

        Args:
            config: Names the model, the engine and so on.
        """
        self._config = config
        self._bundle: Bundle | None = None
        self._predictor: Predictor | None = None

    @property
    def used(self) -> ModelUsed:
        """What is loaded so far."""
        bundle, engine = self._bundle, self._predictor and self._predictor.engine
        return ModelUsed(
            fingerprint=bundle.fingerprint if bundle else None,
            profile=bundle.profile if bundle else None,
            engine=engine.name if engine else None,
            device=engine.device if engine else None,
            precision=engine.precision if engine else None,
        )

    def bundle(self) -> Bundle:
        """The bundle.

        Raises:
            BundleError: It is missing, damaged or unsafe.
        """
        if self._bundle is None:
            self._bundle = load_model(self._config.model)
        return self._bundle

    def predictor(self) -> Predictor:
        """The network, its golden rows replayed.

        Raises:
            BundleError: The golden rows come out differently.
            ConflictError: There is no such device.
        """
        if self._predictor is None:
            config = self._config
            self._predictor = open_bundle(
                self.bundle(),
                name=config.engine,
                device=config.device,
                threads=config.threads,
                precision=config.precision,
                batch_tokens=config.batch_tokens,
            )
        return self._predictor

    def close(self) -> None:
        """Stop the predictor's threads."""
        if self._predictor:
            self._predictor.close()
