"""The bundle: a trained model as a directory of data, never code.

Loading believes nothing. It checks file kinds and sizes first, then hashes, then keys and types,
then shapes and finiteness, and only then builds anything, of the very bytes that were verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from textbatch.errors import BundleError
from textbatch.model.bundle.blend import read_blend, read_blend_sizes
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import (
    BundleFiles,
    Manifest,
    fingerprint_of,
    listed,
    read_verified,
    write_directory,
)
from textbatch.model.bundle.held_out import held_out_bytes, read_held_out
from textbatch.model.bundle.memory import bundle_memory
from textbatch.model.bundle.memory_limit import check_memory
from textbatch.model.bundle.parts import (
    early_exit_of,
    golden_of,
    labels_of,
    metrics_of,
    multi_label_in,
    novelty_in,
    record_of,
    reference_in,
)
from textbatch.model.bundle.records import (
    ChainConfig,
    EarlyExit,
    Golden,
    ImportedConfig,
    Int8Check,
    Measured,
    NetworkConfig,
    Settings,
)
from textbatch.model.bundle.strict_json import check_fields, dump_json, parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.weights import Weights
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.novelty import Novelty
from textbatch.model.quality.profile import TrainingProfile
from textbatch.model.quality.reference import Reference, reference_of_held_out
from textbatch.model.quality.thresholds import HeldOut
from textbatch.text.keras_text import KerasText
from textbatch.text.normalization import OLDEST_RULES, RULES_VERSION
from textbatch.text.vectorized_text import TextRules
from textbatch.text.vocabulary import Vocabulary

_Config = NetworkConfig | ImportedConfig | ChainConfig

#: The content of the file for a network that has no int8.
_NO_INT8 = Int8Check(rows=0, agreement=1.0, max_difference=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A trained model: what answers, and the records of how it was made and measured.

    Attributes:
        classifier: What answers.
        settings: The other content of `config.json`.
        calibration: How the temperature of the classifier was found.
        held_out: Answers to held-out rows, which `--min-precision` takes its thresholds from.
        profile: What the training texts and answers looked like.
        golden: Texts with known answers.
        metrics: What training measured, as JSON values.
        int8: What int8 changed; None for a network that has no int8.
        early_exit: Which rows the linear model may answer alone; None for no row.
        novelty: What ordinary texts are like; None where training did not find out.
        reference: Held-out texts and answers, which runs are compared with; None in a bundle of an
            older textbatch.
        manifest: Hashes, versions and time; None before the bundle is written.
        memory: What it takes in memory, in bytes, as far as sizes tell; 0 before it is loaded.
    """

    classifier: Classifier
    settings: Settings
    calibration: Calibration
    held_out: HeldOut
    profile: TrainingProfile
    golden: Golden
    metrics: Mapping[str, object]
    int8: Int8Check | None
    early_exit: EarlyExit | None = None
    novelty: Novelty | None = None
    reference: Reference | None = None
    manifest: Manifest | None = None
    memory: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.classifier.temperature != self.calibration.temperature:
            raise ValueError("the classifier has another temperature than its calibration")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self.classifier.labels

    @property
    def compared_with(self) -> Reference | None:
        """What runs are compared with; None if there were no held-out rows."""
        return self.reference or reference_of_held_out(self.held_out, self.labels)

    @property
    def fingerprint(self) -> str:
        """The sha256 of the hashes of the files that decide the answers; empty before writing."""
        return self.manifest.fingerprint if self.manifest else ""

    @property
    def measured(self) -> Measured:
        """The part of the metrics that is read."""
        return check_fields(Measured, self.metrics, LAYOUT.metrics)


def save_bundle(
    bundle: Bundle,
    path: Path,
    *,
    card: str,
    overwrite: bool,
    page: Callable[[str], str] | None = None,
) -> str:
    """Write a bundle, whole or not at all.

    Args:
        bundle: The bundle.
        path: The directory to make.
        card: The model card, in Markdown.
        overwrite: Whether an older bundle may be replaced.
        page: Makes the training report in HTML from the fingerprint; None for no report.

    Returns:
        The fingerprint.

    Raises:
        OutputError: The directory exists and may not be replaced, or is not a bundle.
        StorageError: Writing failed. An older bundle is still there.
    """
    classifier = bundle.classifier
    files = {
        LAYOUT.config: dump_json(_config_json(bundle)),
        LAYOUT.vocabulary: classifier.vocabulary.to_lines(escaped=bool(classifier.text)).encode(),
        LAYOUT.labels: dump_json(list(classifier.labels)),
        LAYOUT.weights: bytes(classifier.weights.data),
        LAYOUT.graph: classifier.graph,
        LAYOUT.calibration: dump_json(asdict(bundle.calibration)),
        LAYOUT.precision: dump_json(asdict(bundle.int8 or _NO_INT8)),
        LAYOUT.held_out: held_out_bytes(bundle.held_out),
        LAYOUT.profile: dump_json(asdict(bundle.profile)),
        LAYOUT.golden: dump_json(asdict(bundle.golden)),
        LAYOUT.metrics: dump_json(bundle.metrics),
        LAYOUT.card: card.encode(),
        **(classifier.blend.files() if classifier.blend else {}),
    }
    if bundle.early_exit:
        files[LAYOUT.early_exit] = dump_json(asdict(bundle.early_exit))
    if bundle.novelty:
        files[LAYOUT.novelty] = dump_json(asdict(bundle.novelty))
    if bundle.reference:
        files[LAYOUT.reference] = dump_json(asdict(bundle.reference))
    if classifier.multi_label:
        files[LAYOUT.multi_label] = dump_json(asdict(classifier.multi_label))
    if page:
        files[LAYOUT.page] = page(fingerprint_of(listed(files))).encode()
    return write_directory(path, files, overwrite=overwrite)


def load_bundle(path: Path, *, beside: int = 0) -> Bundle:
    """Read and verify a bundle. Nothing in it is executed.

    Args:
        path: The directory of the bundle.
        beside: What the models that are loaded by now take in memory, in bytes.

    Raises:
        BundleError: It is missing, damaged, inconsistent or unsafe, or takes too much memory.
    """
    files = read_verified(path, beside=beside)
    config = _config(files)
    network, rules = _network_and_rules(config)
    if not OLDEST_RULES <= (version := config.settings.text_rules) <= RULES_VERSION:
        raise BundleError(
            f"{path} has text rules {version}, this textbatch {OLDEST_RULES} to {RULES_VERSION}",
            "use the textbatch version that made it, or train it again",
        )
    blend = read_blend_sizes(files)
    labels = labels_of(files)
    memory = bundle_memory(files, network, blend)
    check_memory(path, memory, beside=beside)
    calibration = record_of(files, LAYOUT.calibration, Calibration)
    vocabulary = _vocabulary(files, network.vocabulary_size, escaped=bool(rules))
    classifier = Classifier(
        architecture=network,
        vocabulary=vocabulary,
        labels=labels,
        weights=Weights.parse(files.tensors(LAYOUT.weights, Weights.most_bytes(network)), network),
        text=rules,
        text_rules=version,
        blend=read_blend(files, network, blend, vocabulary) if blend else None,
        temperature=calibration.temperature,
        on_long=config.settings.on_long,
        multi_label=multi_label_in(files, len(labels)),
    )
    int8 = record_of(files, LAYOUT.precision, Int8Check)
    _check_sizes(classifier, files[LAYOUT.graph])
    return Bundle(
        classifier=classifier,
        settings=config.settings,
        calibration=calibration,
        int8=int8 if int8.rows else None,
        early_exit=early_exit_of(files, classifier),
        novelty=novelty_in(files),
        reference=reference_in(files),
        held_out=read_held_out(files[LAYOUT.held_out], len(classifier.labels)),
        profile=record_of(files, LAYOUT.profile, TrainingProfile),
        golden=golden_of(files, len(classifier.labels)),
        metrics=metrics_of(files),
        manifest=files.manifest,
        memory=memory,
    )


def _config_of(bundle: Bundle) -> _Config:
    classifier, settings = bundle.classifier, bundle.settings
    network, text = classifier.architecture, classifier.text
    architecture = network if isinstance(network, Architecture) else None
    chain = network if isinstance(network, Chain) else None
    if isinstance(text, KerasText):
        return ImportedConfig(text=text, settings=settings, architecture=architecture, chain=chain)
    if architecture and text is None:
        return NetworkConfig(architecture=architecture, settings=settings)
    return ChainConfig(vectorized=text, settings=settings, architecture=architecture, chain=chain)


def _config_json(bundle: Bundle) -> dict[str, object]:
    told = asdict(_config_of(bundle))
    # Bundles in which it says nothing are as they were before there was a choice.
    if told["settings"]["on_long"] is None:
        del told["settings"]["on_long"]
    return told


def _config(files: BundleFiles) -> _Config:
    value = parse_json(files[LAYOUT.config], LAYOUT.config)
    if isinstance(value, dict) and isinstance(settings := value.get("settings"), dict):
        value |= {"settings": {"on_long": None, **settings}}
    if not isinstance(value, dict) or not {"text", "vectorized"} & set(value):
        return read_fields(NetworkConfig, value, LAYOUT.config)
    if "text" in value:
        return read_fields(ImportedConfig, value, LAYOUT.config)
    return read_fields(ChainConfig, value, LAYOUT.config)


def _network_and_rules(config: _Config) -> tuple[Architecture | Chain, TextRules | None]:
    if isinstance(config, NetworkConfig):
        return config.architecture, None
    network = config.architecture or config.chain
    if network is None or (config.architecture and config.chain):
        raise BundleError(f"{LAYOUT.config} is malformed", RESTORE)
    return network, config.text if isinstance(config, ImportedConfig) else config.vectorized


def _check_sizes(classifier: Classifier, graph: bytes) -> None:
    if len(classifier.labels) != (wanted := classifier.architecture.num_labels):
        _refuse_size(LAYOUT.labels, len(classifier.labels), wanted)
    # The graph is for other tools, ours is built anew. A different graph would answer differently.
    if graph != classifier.graph:
        raise BundleError(
            f"{LAYOUT.graph} is not the graph that {LAYOUT.config} describes", RESTORE
        )


def _vocabulary(files: BundleFiles, size: int, *, escaped: bool) -> Vocabulary:
    data = files[LAYOUT.vocabulary]
    # Before a text is made of each line.
    if (found := data.removesuffix(b"\n").count(b"\n") + 1) != size:
        _refuse_size(LAYOUT.vocabulary, found, size)
    return Vocabulary.from_lines(data, escaped=escaped)


def _refuse_size(name: str, found: int, wanted: int) -> NoReturn:
    raise BundleError(f"{name} has {found} entries where {LAYOUT.config} says {wanted}", RESTORE)
