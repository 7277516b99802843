"""The manifest of a family of methods, `method.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ccsr_bench.install.records import RECORD
from ccsr_bench.install.sources import Source
from ccsr_bench.manifests import Name

Role = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]
"""Role of weights in a method, such as ``base``."""

RelativePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")]
"""Path of a file inside a folder, with ``/`` between its parts."""

EarlierVersions = tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")], ...]
"""Earlier versions of an adapter that give the same outputs as the present one, so that their ledgers are continued.

Each is the first 16 hexadecimal digits of the adapter's sha256, as in `Origin.code_sha256`.
"""


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The repository and the commit of the official code."""

    repository: str
    commit: str


class InProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="in-process", tag_field="kind"):
    """The environment of a method that runs in the process of ccsr-bench, with its dependencies."""

    entry: Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[A-Za-z_][A-Za-z0-9_]*\Z")]
    """``package.module:Name``, or ``file.py:Name`` for a file beside the manifest, of a class or function that
    takes the variant's parameters and returns a `Method`."""
    networks: bool = False
    """Whether the method runs networks. Then the entry also takes ``execution``, an `Execution`, and ``weights``, a
    dictionary of role -> folder, if the variant names weights. The module of the entry may have two functions:
    ``parameter_counts`` returns network -> number of parameters without weights, and ``check_libraries`` raises a
    `BenchError` that says what must be installed."""
    earlier_versions: EarlierVersions = ()
    """Earlier versions of the entry's file, if it lies beside the manifest."""


class Isolated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="isolated", tag_field="kind"):
    """The environment of a method that runs official code from a checkout, in a separate interpreter and process.

    The adapter has a function ``load(source, weights, device, **parameters)``, which takes the checkout, a dictionary
    of role -> folder, the device and the variant's parameters. It returns an object with ``restore(lr, seed)``, which
    maps one (h, w, 3) uint8 RGB image to one (H, W, 3) image. If the method samples, the object also has ``network``,
    the module whose calls are counted as steps. Every global random stream is set from the seed before the call. For a
    captioned variant the function is ``restore(lr, seed, caption)``, where the caption is a text.
    """

    python: Annotated[str, msgspec.Meta(pattern=r"^3\.[0-9]+\Z")]
    """Version of the interpreter, such as ``3.11``."""
    adapter: RelativePath = "adapter.py"
    """File of the adapter, beside the manifest."""
    earlier_versions: EarlierVersions = ()
    lock: RelativePath = "requirements.lock"
    """File with the exact versions of the packages in the environment, beside the manifest."""
    start_seconds: Annotated[float, msgspec.Meta(gt=0)] = 900
    """Longest time for loading the model, in seconds."""
    image_seconds: Annotated[float, msgspec.Meta(gt=0)] = 900
    """Longest time for one output, in seconds."""
    idle_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3600
    """Time without requests, in seconds, after which the process ends and frees its memory."""


class Captioner(Isolated, frozen=True, forbid_unknown_fields=True):
    """The environment of a captioner, which describes each LR image once in words, for captioned variants.

    Its packages may differ from those of the method. The adapter is like that of `Isolated`, but takes no parameters,
    and ``load`` returns an object with ``caption(lr, seed)``, which maps one (h, w, 3) uint8 RGB image to a text. The
    seed depends on the image alone.
    """

    adapter: RelativePath = "captioner.py"
    lock: RelativePath = "captioner.lock"
    weights: dict[Role, Name] = {}


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The description of a folder of weights, which several methods may share."""

    licence: str
    sources: Annotated[list[Source], msgspec.Meta(min_length=1)]
    """Sources of the files, which are tried in order."""
    files: Annotated[
        dict[RelativePath, Annotated[str, msgspec.Meta(pattern=r"^((tensors:)?[0-9a-f]{64})?\Z")]],
        msgspec.Meta(min_length=1),
    ]
    """File -> its sha256 or, after ``tensors:``, that of the tensors in it, see `ccsr_bench.weights.tensors`;
    "" if the hash is not published: then the file must equal that of the first installation."""
    folder: Name
    """Name of the folder in the authors' documentation."""

    def __post_init__(self) -> None:
        if RECORD in self.files:
            raise ValueError(f"a file of weights cannot be called {RECORD}")


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One configuration of a family, named ``<family>-s<steps>`` for diffusion methods."""

    title: str
    paper_row: str = ""
    """Name of the row of the CCSR paper that the variant stands for, if it is not the title."""
    steps: int = 0
    """Number of sampling steps; 0 for a method that does not sample."""
    deterministic: bool = False
    """Whether this variant of a stochastic family draws no noise."""
    calls_per_step: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Calls of the denoiser per step: 2 if official code computes guidance in two passes."""
    captioned: bool = False
    """Whether the method takes a caption of every image, which the manifest's captioner makes."""
    parameters: dict[str, Any] = {}
    weights: dict[Role, Name] = {}
    """Role -> name of weights in the manifest."""


class MethodManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of a family's `method.toml`."""

    id: Name
    title: str
    licence: str
    scale: int
    stochastic: bool
    """Whether outputs depend on the seed; a deterministic method runs once and has no spread."""
    environment: InProcess | Isolated
    variants: dict[Name, Variant]
    captioner: Captioner | None = None
    weights: dict[Name, Weights] = {}
    paper: str = ""
    upstream: Upstream | None = None
    paper_settings: str = ""
    """Remarks on the settings that the CCSR paper used."""

    @property
    def isolated(self) -> bool:
        """Whether the method runs official code in a separate process; `Execution` then sets the device only."""
        return isinstance(self.environment, Isolated)

    @property
    def in_process_networks(self) -> bool:
        """Whether the method runs networks in the process of ccsr-bench, with the settings in `Execution`."""
        return isinstance(self.environment, InProcess) and self.environment.networks

    def __post_init__(self) -> None:
        if self.captioner is not None:
            self._check_weights("the captioner", self.captioner.weights)
        for name, variant in self.variants.items():
            self._check_weights(f"variant {name}", variant.weights)
            if variant.captioned and (self.captioner is None or not self.isolated):
                raise ValueError(f"variant {name} is captioned, which requires a captioner and an isolated environment")
            reserved: set[str] = set()
            if self.isolated:
                reserved = {"source", "weights", "device"}
            elif self.in_process_networks:
                reserved = {"execution", "weights"}
            conflicts = sorted(reserved & variant.parameters.keys())
            if conflicts:
                raise ValueError(f"variant {name} has a parameter called {conflicts[0]}, which is a reserved name")

    def _check_weights(self, whose: str, weights: Mapping[str, str]) -> None:
        unknown = sorted(set(weights.values()) - self.weights.keys())
        if unknown:
            raise ValueError(f"{whose} names weights that the manifest does not have: {', '.join(unknown)}")
