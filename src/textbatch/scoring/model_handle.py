"""The model of a run: loaded when it is first needed, once for all files."""

from __future__ import annotations

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_placed
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.thresholds import always_withheld
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

    def __init__(self, config: ScoreConfig) -> None:
        """Nothing is loaded yet.

        Args:
            config: The options, which name the model, the engine and so on.
        """
        self._config = config
        self.place = config.model
        self._bundle: Bundle | None = None
        self._predictor: Predictor | None = None
        self._thresholds: Float32Array | None = None
        self.withheld: tuple[str, ...] = ()

    @property
    def used(self) -> ModelUsed:
        """What is loaded so far."""
        bundle, engine = self._bundle, self._predictor and self._predictor.engine
        return ModelUsed(
            fingerprint=bundle.fingerprint if bundle else None,
            profile=bundle.profile if bundle else None,
            withheld=self.withheld,
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

    def close(self) -> None:
        """Stop the predictor's threads."""
        if self._predictor:
            self._predictor.close()
