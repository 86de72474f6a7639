"""The models of a run: loaded when they are first needed, once for all files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_placed
from textbatch.model.named_models import NamedModels
from textbatch.model.predictors import Predictors, open_bundles, told_of
from textbatch.model.quality.reference import Reference
from textbatch.model.quality.thresholds import always_withheld
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.chunk_predictor import (
    ChunkPredictor,
    EngineTold,
    Spread,
    SpreadPredictor,
)
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_gate import check_can_adapt, check_can_tell
from textbatch.scoring.file_task import ModelUsed
from textbatch.scoring.multi_label import check_score_options
from textbatch.scoring.precision import label_thresholds, withheld_note
from textbatch.scoring.table_options import ScoreTablesOptions
from textbatch.types import Float32Array

if TYPE_CHECKING:
    from textbatch.scoring.answer_cache import AnswerCache


class ModelHandle:
    """The bundles and their predictors. It owns the predictors' threads: close it.

    Attributes:
        place: Where the loaded models stand: of releases the version that was current then.
    """

    def __init__(
        self, config: ScoreConfig | ScoreTablesOptions, spread: Spread | None = None
    ) -> None:
        """Nothing is loaded yet.

        Args:
            config: The options, which name the models, the engine and so on.
            spread: Makes what predicts the chunks of a file in several processes; None for none.
        """
        self._config, self._spread = config, spread
        self.place = config.model
        self._many: SpreadPredictor | None = None
        self._cache: AnswerCache | None = None
        self._bundles: Bundles | None = None
        self._references: list[Reference | None] = []
        self._predictors: Predictors | None = None
        self._thresholds: tuple[Float32Array | None, ...] | None = None

    @property
    def used(self) -> ModelUsed:
        """What is loaded so far."""
        each = tuple(self._used(index) for index in range(len(self._config.models)))
        if len(each) == 1:
            return each[0]
        return ModelUsed(
            fingerprint=self._bundles.fingerprint if self._bundles else None,
            engine=_common([one.engine for one in each]),
            device=_common([one.device for one in each]),
            precision=_common([one.precision for one in each]),
            each=each,
        )

    def bundles(self) -> Bundles:
        """Load the bundles, or return the loaded ones.

        Raises:
            BundleError: One is missing, damaged or unsafe.
        """
        if self._bundles is None:
            models = self._config.models
            each: list[Bundle] = []
            places = []
            for one in models:
                with told_of(one.name):
                    # They are in memory together.
                    taken = sum(loaded.memory for loaded in each)
                    bundle, place = load_placed(one.place, beside=taken, several=True)
                each.append(bundle)
                places.append(replace(one, place=place))
            self.place = NamedModels(tuple(places)) if models[0].name else places[0].place
            found = Bundles(tuple(one.name for one in models), tuple(each))
            check_score_options(self._config, found)
            if isinstance(self._config, ScoreConfig) and self._config.fail_on_drift:
                check_can_tell(found)
            if isinstance(self._config, ScoreConfig) and self._config.adapt_priors:
                check_can_adapt(found)
            self._references = [bundle.compared_with for bundle in each]
            self._bundles = found
        return self._bundles

    def compared_with(self) -> list[Reference | None]:
        """For each model what its rows are compared with; None where there is nothing."""
        self.bundles()
        return self._references

    def thresholds(self) -> tuple[Float32Array | None, ...]:
        """For each model the confidence that each label needs, shape `(labels,)`, or None.

        Raises:
            QualityGateError: As in `label_thresholds`.
        """
        if self._thresholds is None:
            bundles, found = self.bundles(), []
            for name, bundle in zip(bundles.names, bundles.each, strict=True):
                with told_of(name):
                    found.append(label_thresholds(bundle, self._config))
            self._thresholds = tuple(found)
        return self._thresholds

    def withheld_notes(self) -> Iterator[str]:
        """What the report says about labels that `--min-precision` always withholds."""
        bundles = self.bundles()
        for index, (name, bundle) in enumerate(zip(bundles.names, bundles.each, strict=True)):
            if note := withheld_note(self._withheld(index), bundle, self._config):
                yield f"model {name}: {note}" if name else note

    def predictor(self) -> Predictors:
        """Open the predictors and check them with the golden rows, or return the open ones.

        Raises:
            BundleError: The golden rows get other predictions than they had.
            ConflictError: The device that was asked for is not there.
        """
        if self._predictors is None:
            config, bundles = self._config, self.bundles()
            self._predictors = open_bundles(
                bundles.names,
                bundles.each,
                batch_tokens=config.batch_tokens if isinstance(config, ScoreConfig) else None,
                beside=config.beside,
                **config.opening(),
            )
        return self._predictors

    def chunk_predictor(self, rows: int | None) -> ChunkPredictor:
        """What predicts the chunks of a file: several processes, where that was asked for.

        Args:
            rows: Rows of the file, if that is known: one chunk needs no second process.

        Raises:
            TextbatchError: As in `predictor`.
        """
        config = self._config
        one_chunk = (
            isinstance(config, ScoreConfig) and rows is not None and rows <= config.chunk_rows
        )
        if self._spread is None or one_chunk:
            return self._with_cache(self.predictor())
        if self._many is None:
            self._many = self._spread(self.bundles())
        return self._with_cache(self._many)

    def _with_cache(self, predictor: ChunkPredictor) -> ChunkPredictor:
        config, bundles = self._config, self.bundles()
        if not isinstance(config, ScoreConfig) or config.cache is None:
            return predictor
        # Here, not at the top: most jobs have no cache.
        from textbatch.scoring.answer_cache import AnswerCache
        from textbatch.scoring.cached_predictor import CachedPredictor, scope_of

        widths = [len(one.labels) for one in bundles.each]
        if self._cache is None:
            self._cache = AnswerCache(
                config.cache,
                scope=scope_of(bundles, config, config.beside),
                widths=[width + config.beside.width for width in widths],
                max_bytes=(config.cache_mib or 1024) << 20,
            )
        return CachedPredictor(predictor, self._cache, widths, config.beside.width)

    def close(self) -> None:
        """Stop the predictors' threads, or their processes."""
        if self._predictors:
            self._predictors.close()
        if self._many:
            self._many.close()
        if self._cache:
            self._cache.close()

    def _engine(self, index: int) -> EngineTold | None:
        """What runs a model, as far as it is known; the processes have the same for all."""
        if self._many is not None and (known := self._many.known_engine):
            return known
        return self._predictors.each[index].engine if self._predictors else None

    def _used(self, index: int) -> ModelUsed:
        bundle = self._bundles.each[index] if self._bundles else None
        engine = self._engine(index)
        return ModelUsed(
            fingerprint=bundle.fingerprint if bundle else None,
            profile=bundle.profile if bundle else None,
            reference=self._references[index] if bundle else None,
            withheld=self._withheld(index),
            engine=engine.name if engine else None,
            device=engine.device if engine else None,
            precision=engine.precision if engine else None,
        )

    def _withheld(self, index: int) -> tuple[str, ...]:
        """Labels of a model that are always withheld, as far as that is known."""
        found = self._thresholds[index] if self._thresholds else None
        if found is None or self._bundles is None:
            return ()
        return always_withheld(found, self._bundles.each[index].labels)


def _common(told: Sequence[str | None]) -> str | None:
    """What is told of all models; None where they differ."""
    return told[0] if len(set(told)) == 1 else None
