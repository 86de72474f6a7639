"""What the small files of a bundle hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from textbatch.data.strict_json import Count, Share
from textbatch.errors import QualityGateError
from textbatch.model.choices import Precision
from textbatch.model.linear.early_exit import ExitRule
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.quality.calibration import Temperature
from textbatch.model.quality.confidence_limits import LimitMeasure
from textbatch.model.quality.text_sketch import TextSketch
from textbatch.text.choices import Part
from textbatch.text.keras_text import KerasText
from textbatch.text.normalization import RULES_VERSION
from textbatch.text.vectorized_text import VectorizedText

#: The most golden rows: training makes 32.
MAX_GOLDEN_ROWS = 64
#: A difference of two margins.
Gap = Annotated[float, Meta(gt=0.0, le=1e6)]
#: int8 and early exit are refused for a model if a smaller share of the labels stays the same.
MIN_AGREEMENT = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `config.json` holds beside the architecture.

    Attributes:
        preset: The preset that it was trained with.
        text_column: The column with the texts in training.
        text_rules: Version of the normalization rules.
        on_long: Which part of long texts is used; None for the first tokens, or as Keras was told.
    """

    preset: str
    text_column: str
    text_rules: int = RULES_VERSION
    on_long: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What `config.json` holds.

    Attributes:
        architecture: Sizes of the network.
        settings: The rest.
    """

    architecture: Architecture
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConfig:
    """What `config.json` holds for a model that was made with Keras.

    Attributes:
        text: How texts are split.
        settings: As in `NetworkConfig`.
        architecture: Sizes of the network, if it is one that textbatch trains too; else None.
        chain: Its layers, if it is another one; else None.
    """

    text: KerasText
    settings: Settings
    architecture: Architecture | None = None
    chain: Chain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainConfig:
    """What `config.json` holds for a model that was made with Keras, without a `Tokenizer`.

    Attributes:
        vectorized: How its `TextVectorization` layer splits texts; None for textbatch's own rules.
        settings: As in `NetworkConfig`.
        architecture: As in `ImportedConfig`.
        chain: As in `ImportedConfig`.
    """

    vectorized: VectorizedText | None
    settings: Settings
    architecture: Architecture | None = None
    chain: Chain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Int8Check:
    """What int8 changed on held-out rows when the bundle was made.

    Attributes:
        rows: Number of rows that were compared; 0 if there is no int8.
        agreement: Share of rows with the same label as in float32.
        max_difference: Largest change of a probability.
    """

    rows: Count
    agreement: Share
    max_difference: Share

    def check(self) -> None:
        """Check that int8 does not change too many labels.

        Raises:
            QualityGateError: The share of equal labels is below `MIN_AGREEMENT`.
        """
        _check_agreement("int8", self.agreement, self.rows, "leave --precision out")


def _check_agreement(what: str, agreement: float, rows: int, remedy: str) -> None:
    if not agreement >= MIN_AGREEMENT:
        raise QualityGateError(
            f"{what} gave the same label on {agreement:.2%} of {rows:,} held-out rows, fewer than "
            f"{MIN_AGREEMENT:.1%}",
            remedy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """Texts with the probabilities that training computed. Loading computes them again.

    Attributes:
        texts: Texts made of words of the vocabulary, so that no training text is given away.
        probabilities: Their probabilities. Shape `(texts, labels)`.
    """

    texts: list[str]
    probabilities: list[list[Share]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyExit:
    """Which rows the linear model may answer alone, and what that changes.

    Attributes:
        gap: Least difference between the two highest margins of such a row.
        temperature: The margins of such a row are divided by it.
        rows: Number of rows, which no model had seen, that were compared.
        share: Share of them that the linear model answers alone.
        agreement: Share of all of them with the same label as without early exit.
        int8_agreement: The same where the other rows are answered in int8; None without int8.
        golden: Made-up texts, and their probabilities with early exit.
    """

    gap: Gap
    temperature: Temperature
    rows: Count
    share: Share
    agreement: Share
    int8_agreement: Share | None
    golden: Golden

    @property
    def rule(self) -> ExitRule:
        """The rule for rows."""
        return ExitRule(gap=self.gap, temperature=self.temperature)

    def check(self, precision: Precision) -> None:
        """Check that early exit does not change too many labels.

        Args:
            precision: Of the network.

        Raises:
            QualityGateError: The share of equal labels is below `MIN_AGREEMENT`.
        """
        if precision == "f32":
            _check_agreement("early exit", self.agreement, self.rows, "leave --early-exit out")
        elif self.int8_agreement is not None:
            what = "early exit with int8"
            _check_agreement(what, self.int8_agreement, self.rows, "use --precision int8 or f32")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestMetrics:
    """The metrics of the test rows."""

    accuracy: Share
    macro_f1: Share
    rows: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What the test rows showed."""

    metrics: TestMetrics
    ece_after: Share
    limits: tuple[LimitMeasure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is read of `metrics.json`. The rest is for people."""

    test: Tested | None = None
    training_texts: TextSketch | None = None
