"""The model of a run: loaded when it is first needed, once for all files."""

from __future__ import annotations

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_placed
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.thresholds import always_withheld
from textbatch.scoring.chunk_predictor import (
    ChunkPredictor,
    EngineTold,
    Spread,
    SpreadPredictor,
)
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import ModelUsed
from textbatch.scoring.precision import label_thresholds
from textbatch.types import Float32Array


class ModelHandle:
    """The bundle and its predictor. It owns the predictor's threads: close it.

    Attributes:
        place: Where the loaded model stands: of releases the version that was current then.
        withheld: Labels that `--min-precision` always withholds, as far as that is known.
    """

    def __init__(self, config: ScoreConfig, spread: Spread | None = None) -> None:
        """Nothing is loaded yet.

        Args:
            config: The options, which name the model, the engine and so on.
            spread: Makes what predicts the chunks of a file in several processes; None for none.
        """
        self._config, self._spread = config, spread
        self.place = config.model
        self._many: SpreadPredictor | None = None
        self._bundle: Bundle | None = None
        self._predictor: Predictor | None = None
        self._thresholds: Float32Array | None = None
        self.withheld: tuple[str, ...] = ()

    @property
    def used(self) -> ModelUsed:
        """What is loaded so far."""
        bundle, engine = self._bundle, self._engine
        return ModelUsed(
            fingerprint=bundle.fingerprint if bundle else None,
            profile=bundle.profile if bundle else None,
            withheld=self.withheld,
            engine=engine.name if engine else None,
            device=engine.device if engine else None,
            precision=engine.precision if engine else None,
        )

    @property
    def _engine(self) -> EngineTold | None:
        if self._many is not None and (known := self._many.known_engine):
            return known
        return self._predictor.engine if self._predictor else None

    def bundle(self) -> Bundle:
        """Load the bundle, or return the loaded one.

        Raises:
            BundleError: It is missing, damaged or unsafe.
        """
        if self._bundle is None:
            self._bundle, self.place = load_placed(self._config.model)
        return self._bundle

    def thresholds(self) -> Float32Array | None:
        """The confidence that each label needs, shape `(labels,)`; None if nothing is asked for.

        Raises:
            QualityGateError: As in `label_thresholds`.
        """
        if self._thresholds is None:
            bundle = self.bundle()
            self._thresholds = label_thresholds(bundle, self._config)
            if self._thresholds is not None:
                self.withheld = always_withheld(self._thresholds, bundle.labels)
        return self._thresholds

    def predictor(self) -> Predictor:
        """Open the predictor and check it with the golden rows, or return the open one.

        Raises:
            BundleError: The golden rows get other predictions than they had.
            ConflictError: The device that was asked for is not there.
        """
        if self._predictor is None:
            config = self._config
            self._predictor = open_bundle(
                self.bundle(), batch_tokens=config.batch_tokens, **config.opening()
            )
        return self._predictor

    def chunk_predictor(self, rows: int | None) -> ChunkPredictor:
        """What predicts the chunks of a file: several processes, where that was asked for.

        Args:
            rows: Rows of the file, if that is known: one chunk needs no second process.

        Raises:
            TextbatchError: As in `predictor`.
        """
        one_chunk = rows is not None and rows <= self._config.chunk_rows
        if self._spread is None or one_chunk:
            return self.predictor()
        if self._many is None:
            self._many = self._spread(self.bundle())
        return self._many

    def close(self) -> None:
        """Stop the predictor's threads, or its processes."""
        if self._predictor:
            self._predictor.close()
        if self._many:
            self._many.close()
