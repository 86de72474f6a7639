"""The bundle: a trained model as a directory of data, never code.

Loading believes nothing: file kinds and sizes first, then hashes, then the schema, then shapes
and finiteness; only then is anything built. Each file is read once, and the bytes that were
verified are the bytes that are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from textbatch.errors import BundleError
from textbatch.model.bundle.blend import BLEND, LINEAR, Blend, read_blend
from textbatch.model.bundle.directory import read_verified, write_directory
from textbatch.model.bundle.records import Golden, Int8Check, Settings, read_architecture
from textbatch.model.bundle.strict_json import dump_json, parse_json, read_fields
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.onnx_graph import WEIGHTS_FILE, build_graph
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.thresholds import HeldOut
from textbatch.text.normalization import RULES_VERSION
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary

_UNCALIBRATED = Calibration(
    temperature=1.0, rows=0, ece_before=0.0, ece_after=0.0, nll_before=0.0, nll_after=0.0
)
NO_GOLDEN = Golden(texts=[], probabilities=[])


CONFIG, VOCABULARY, LABELS, GRAPH = "config.json", "vocabulary.txt", "labels.json", "model.onnx"
CALIBRATION, PROFILE, GOLDEN = "calibration.json", "profile.json", "golden.json"
PRECISION, HELD_OUT = "precision.json", "held_out.json"
METRICS, CARD, PAGE = "metrics.json", "README.md", "report.html"

#: What decides the answers, and so makes up the fingerprint.
FINGERPRINTED = (
    CONFIG, VOCABULARY, LABELS, WEIGHTS_FILE, GRAPH, CALIBRATION, PRECISION, HELD_OUT, PROFILE,
    GOLDEN,
)  # fmt: skip
OPTIONAL = (BLEND, LINEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A trained model.

    Attributes:
        architecture: Sizes of the network.
        settings: What else `config.json` holds.
        vocabulary: Known tokens.
        labels: In the order of the network's outputs.
        weights: All tensors.
        calibration: The temperature and how it was found.
        int8: What int8 changed.
        held_out: Answers on held-out rows, from which `--min-precision` takes thresholds.
        profile: What the training texts and answers looked like.
        golden: Rows to replay.
        metrics: What training measured.
        blend: A linear model beside the network, if validation asked for one.
        fingerprint: sha256 over the hashes of the files that decide the answers.
        manifest: Versions and time of making.
    """

    architecture: Architecture
    settings: Settings
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    weights: Weights
    calibration: Calibration
    int8: Int8Check
    held_out: HeldOut
    profile: Mapping[str, Any]
    golden: Golden
    metrics: Mapping[str, Any]
    blend: Blend | None = None
    fingerprint: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that belongs to the weights."""
        return Tokenizer(
            vocabulary=self.vocabulary,
            max_sequence_length=self.architecture.max_sequence_length,
        )

    @property
    def graph(self) -> bytes:
        """The ONNX graph, as built by this version of textbatch from the architecture."""
        return build_graph(self.architecture, self.weights.offsets)


def save_bundle(
    bundle: Bundle, path: Path, *, card: str, overwrite: bool, page: str | None = None
) -> str:
    """Write a bundle, whole or not at all.

    Args:
        bundle: What to write.
        path: The directory to make.
        card: The model card, Markdown.
        overwrite: Whether an older bundle there may be replaced.
        page: Pictures of the training, HTML, for people alone.

    Returns:
        The bundle's fingerprint.

    Raises:
        OutputError: The directory exists and may not be replaced, or is no bundle.
        StorageError: Writing failed; an older bundle is still there.
    """
    config = {"architecture": asdict(bundle.architecture), "settings": asdict(bundle.settings)}
    files = {
        CONFIG: dump_json(config),
        VOCABULARY: bundle.vocabulary.to_lines().encode(),
        LABELS: dump_json(list(bundle.labels)),
        WEIGHTS_FILE: bundle.weights.data,
        GRAPH: bundle.graph,
        CALIBRATION: dump_json(asdict(bundle.calibration)),
        PRECISION: dump_json(asdict(bundle.int8)),
        HELD_OUT: dump_json(asdict(bundle.held_out)),
        PROFILE: dump_json(bundle.profile),
        GOLDEN: dump_json(asdict(bundle.golden)),
        METRICS: dump_json(bundle.metrics),
        CARD: card.encode(),
        **(bundle.blend.files() if bundle.blend else {}),
        **({} if page is None else {PAGE: page.encode()}),
    }
    names = [name for name in (*FINGERPRINTED, *OPTIONAL) if name in files]
    return write_directory(path, files, fingerprinted=names, overwrite=overwrite)


def load_bundle(path: Path) -> Bundle:
    """Read and verify a bundle; nothing in it is executed.

    Args:
        path: The bundle's directory.

    Raises:
        BundleError: It is missing, damaged, inconsistent or unsafe.
    """
    manifest, files = read_verified(path, fingerprinted=FINGERPRINTED, optional=OPTIONAL)
    config = parse_json(files[CONFIG], CONFIG)
    if not isinstance(config, dict) or config.keys() != {"architecture", "settings"}:
        raise BundleError(
            f"{CONFIG} does not hold architecture and settings",
            "take another copy of the model, or train it again",
        )
    architecture = read_architecture(config["architecture"], CONFIG)
    settings = read_fields(Settings, config["settings"], CONFIG)
    if settings.text_rules != RULES_VERSION:
        raise BundleError(
            f"{path} was made with text rules {settings.text_rules}, this textbatch has "
            f"{RULES_VERSION}",
            "use the textbatch version that made it, or train it again",
        )
    bundle = Bundle(
        architecture=architecture,
        settings=settings,
        vocabulary=Vocabulary.from_lines(_text(files, VOCABULARY)),
        labels=_labels(files),
        weights=Weights.parse(files[WEIGHTS_FILE], architecture),
        calibration=read_fields(
            Calibration, parse_json(files[CALIBRATION], CALIBRATION), CALIBRATION
        ),
        int8=read_fields(Int8Check, parse_json(files[PRECISION], PRECISION), PRECISION),
        held_out=_held_out(files, architecture.num_labels),
        profile=_object(files, PROFILE),
        golden=_golden(files, architecture.num_labels),
        metrics=_object(files, METRICS),
        blend=read_blend(files, architecture),
        fingerprint=manifest["fingerprint"],
        manifest=manifest,
    )
    _check_sizes(bundle, files[GRAPH])
    return bundle


def _check_sizes(bundle: Bundle, graph: bytes) -> None:
    sizes = bundle.architecture
    for what, found, wanted in (
        (VOCABULARY, len(bundle.vocabulary), sizes.vocabulary_size),
        (LABELS, len(bundle.labels), sizes.num_labels),
    ):
        if found != wanted:
            raise BundleError(f"{what} has {found} entries where {CONFIG} says {wanted}", _RESTORE)
    if not 0.01 <= bundle.calibration.temperature <= 100:
        raise BundleError(f"{CALIBRATION}: the temperature is out of range", _RESTORE)
    # The graph is for other tools; ours is built anew. A different one would answer otherwise.
    if graph != bundle.graph:
        raise BundleError(f"{GRAPH} is not the graph that {CONFIG} describes", _RESTORE)


def _labels(files: Mapping[str, bytes]) -> tuple[str, ...]:
    labels = parse_json(files[LABELS], LABELS)
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BundleError(f"{LABELS} is not a list of strings", _RESTORE)
    if len(set(labels)) != len(labels):
        raise BundleError(f"{LABELS} repeats a label", _RESTORE)
    return tuple(labels)


def _golden(files: Mapping[str, bytes], num_labels: int) -> Golden:
    golden = read_fields(Golden, parse_json(files[GOLDEN], GOLDEN), GOLDEN)
    rows_fit = all(
        isinstance(row, list)
        and len(row) == num_labels
        and all(isinstance(p, float | int) for p in row)
        for row in golden.probabilities
    )
    texts_fit = all(isinstance(text, str) for text in golden.texts)
    if not (rows_fit and texts_fit and 0 < len(golden.texts) == len(golden.probabilities)):
        raise BundleError(f"{GOLDEN} is malformed", _RESTORE)
    return golden


def _held_out(files: Mapping[str, bytes], num_labels: int) -> HeldOut:
    held_out = read_fields(HeldOut, parse_json(files[HELD_OUT], HELD_OUT), HELD_OUT)
    for values, kinds in ((held_out.confidences, (float, int)), (held_out.correct, (bool,))):
        if len(values) != num_labels or not all(
            isinstance(row, list) and all(type(value) in kinds for value in row) for row in values
        ):
            raise BundleError(f"{HELD_OUT} is malformed", _RESTORE)
    if list(map(len, held_out.confidences)) != list(map(len, held_out.correct)):
        raise BundleError(f"{HELD_OUT} is malformed", _RESTORE)
    return held_out


def _object(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    value = parse_json(files[name], name)
    if not isinstance(value, dict):
        raise BundleError(f"{name} is not a JSON object", _RESTORE)
    return value


def _text(files: Mapping[str, bytes], name: str) -> str:
    try:
        return files[name].decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"{name} is not UTF-8", _RESTORE) from error


_RESTORE = "restore the bundle from its source or train it again"


def draft_bundle(
    weights: Weights,
    *,
    architecture: Architecture,
    settings: Settings,
    vocabulary: Vocabulary,
    labels: tuple[str, ...],
) -> Bundle:
    """A bundle that answers, at temperature 1, and has nothing measured yet."""
    return Bundle(
        architecture=architecture,
        settings=settings,
        vocabulary=vocabulary,
        labels=labels,
        weights=weights,
        calibration=_UNCALIBRATED,
        int8=Int8Check(rows=0, agreement=1.0, max_difference=0.0),
        held_out=HeldOut(confidences=[], correct=[]),
        profile={},
        golden=NO_GOLDEN,
        metrics={},
    )
