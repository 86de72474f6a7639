"""The model of a run: loaded when it is first needed, once for all files."""

from __future__ import annotations

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import ModelUsed


class ModelHandle:
    """The bundle and its predictor. It owns the predictor's threads: close it."""

    def __init__(self, config: ScoreConfig) -> None:
        """Nothing is loaded yet.

        Args:
            config: The options, which name the model, the engine and so on.
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
        """Load the bundle, or return the loaded one.

        Raises:
            BundleError: It is missing, damaged or unsafe.
        """
        if self._bundle is None:
            self._bundle = load_model(self._config.model)
        return self._bundle

    def predictor(self) -> Predictor:
        """Open the predictor and check it with the golden rows, or return the open one.

        Raises:
            BundleError: The golden rows get other predictions than they had.
            ConflictError: The device that was asked for is not there.
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
