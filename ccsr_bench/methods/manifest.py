"""`method.toml`: the data about one family of methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ccsr_bench.install.records import RECORD
from ccsr_bench.install.sources import Source
from ccsr_bench.manifests import Name

Role = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]
"""The role that weights have in a method, such as ``base``."""

RelativePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")]
"""A file inside a folder, with ``/`` between the parts of its path."""

EarlierVersions = tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")], ...]
"""Versions of an adapter that give the same outputs as the present one: ledgers that they made are added to.

Each is the first 16 hexadecimal digits of the adapter's sha256, as `MethodSpec.made_by` names it.
"""


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The official code."""

    repository: str
    commit: str


class InProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="in-process", tag_field="kind"):
    """Runs inside our process, with our dependencies."""

    entry: Annotated[str, msgspec.Meta(pattern=r"^[^:]+:[A-Za-z_][A-Za-z0-9_]*\Z")]
    """``package.module:Name``, or ``file.py:Name`` for a file beside the manifest; called with the variant's
    parameters, it returns a `Method`."""
    networks: bool = False
    """Whether it runs networks. Then it is also called with ``execution``, an `Execution`, and where the variant names
    weights with ``weights``, a dictionary of role -> folder. Beside the entry there may be two functions:
    ``parameter_counts`` returns network -> number of parameters without weights, ``check_libraries`` raises a
    `BenchError` that says what has to be installed."""
    earlier_versions: EarlierVersions = ()
    """Earlier versions of a file beside the manifest."""


class Isolated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="isolated", tag_field="kind"):
    """Runs official code from a checkout of `Upstream`, in an interpreter and a process of its own.

    The adapter has a function ``load(source, weights, device, **parameters)``, given the checkout, a dictionary of role
    -> folder, and the variant's parameters. What it returns has ``restore(lr, seed)``, one (h, w, 3) uint8 RGB image to
    one (H, W, 3), and where it samples ``network``, the module whose calls are its steps. Every global random stream
    was set from the seed before the call. That of a captioned variant is ``restore(lr, seed, caption)``, with a text.
    """

    python: Annotated[str, msgspec.Meta(pattern=r"^3\.[0-9]+\Z")]
    adapter: RelativePath = "adapter.py"
    """The file of the adapter, beside the manifest."""
    earlier_versions: EarlierVersions = ()
    lock: RelativePath = "requirements.lock"
    """The exact versions of the packages that are installed for it."""
    start_seconds: Annotated[float, msgspec.Meta(gt=0)] = 900
    """Seconds that loading the model may take."""
    image_seconds: Annotated[float, msgspec.Meta(gt=0)] = 900
    """Seconds that one output may take."""
    idle_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3600
    """Seconds without work after which the process ends and frees its memory."""


class Captioner(Isolated, frozen=True, forbid_unknown_fields=True):
    """Describes LR images in words, once each, for captioned variants: official code that may need other packages.

    Its adapter is one of `Isolated`, without parameters, and what ``load`` returns has ``caption(lr, seed)`` instead:
    one (h, w, 3) uint8 RGB image to a text. The seed comes from the image alone.
    """

    adapter: RelativePath = "captioner.py"
    lock: RelativePath = "captioner.lock"
    weights: dict[Role, Name] = {}


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of weights, which several methods may share."""

    licence: str
    sources: Annotated[list[Source], msgspec.Meta(min_length=1)]
    """Tried in order."""
    files: Annotated[
        dict[RelativePath, Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?\Z")]], msgspec.Meta(min_length=1)
    ]
    """File -> sha256; "" where it is not known: then the file of the first installation is what it must stay."""
    folder: Name
    """What the authors call the folder."""

    def __post_init__(self) -> None:
        if RECORD in self.files:
            raise ValueError(f"a file of weights cannot be called {RECORD}")


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to run a family, named ``<family>-s<steps>`` for diffusion."""

    title: str
    steps: int = 0
    """Sampling steps; 0 where the method does not sample."""
    deterministic: bool = False
    """Whether this variant of a stochastic family draws no noise."""
    calls_per_step: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Calls of the denoiser in a step: 2 where official code computes guidance in two passes."""
    captioned: bool = False
    """Whether the method is given a caption of every image, which the manifest's captioner makes."""
    parameters: dict[str, Any] = {}
    weights: dict[Role, Name] = {}
    """Role -> name of weights in the manifest."""


class MethodManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A family's `method.toml`."""

    id: Name
    title: str
    licence: str
    scale: int
    stochastic: bool
    """Whether outputs depend on the seed. A deterministic method runs once and has no spread."""
    environment: InProcess | Isolated
    variants: dict[Name, Variant]
    captioner: Captioner | None = None
    weights: dict[Name, Weights] = {}
    paper: str = ""
    upstream: Upstream | None = None
    paper_settings: str = ""
    """What is known about the settings that the CCSR paper used."""

    @property
    def isolated(self) -> bool:
        """Whether it runs in a process of its own, as its authors' code does: options for our networks mean nothing."""
        return isinstance(self.environment, Isolated)

    @property
    def in_process_networks(self) -> bool:
        """Whether it runs networks in our process, which the options for networks are about."""
        return isinstance(self.environment, InProcess) and self.environment.networks

    def __post_init__(self) -> None:
        if self.captioner is not None:
            self._check_weights("the captioner", self.captioner.weights)
        for name, variant in self.variants.items():
            self._check_weights(f"variant {name}", variant.weights)
            if variant.captioned and (self.captioner is None or not self.isolated):
                raise ValueError(f"variant {name} is captioned, which takes a captioner and an isolated environment")
            given: set[str] = set()
            if self.isolated:
                given = {"source", "weights", "device"}
            elif self.in_process_networks:
                given = {"execution", "weights"}
            taken = sorted(given & variant.parameters.keys())
            if taken:
                raise ValueError(f"variant {name} has a parameter called {taken[0]}, which is given to every network")

    def _check_weights(self, whose: str, weights: Mapping[str, str]) -> None:
        unknown = sorted(set(weights.values()) - self.weights.keys())
        if unknown:
            raise ValueError(f"{whose} names weights that the manifest does not have: {', '.join(unknown)}")
