"""Small GGUF files and wheels that tests make for themselves."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from heron.host.models.catalog import CatalogEntry, Wheel

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
# Words of two or more letters the vocabulary knows; each is merged from its front.
WORDS = ("re", "ret", "retu", "retur", "return", "de", "def", "Ġ" + "x", "ĊĊ", "ĠĠ", "ĠĠĠĠ", "im", "12")


@dataclass(frozen=True)
class TinyVocabulary:
    """A byte-level vocabulary: 256 letters, a few words, special tokens, one user-defined token, one unused."""

    special: Sequence[str] = SPECIAL
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def tokens(self) -> list[tuple[str, int]]:
        letters = [(letter, NORMAL) for letter in byte_letters()]
        words = [(word, NORMAL) for word in WORDS]
        special = [(text, CONTROL) for text in self.special]
        return [*letters, *words, *special, ("<tool_call>", USER_DEFINED), ("[PAD1]", UNUSED)]

    def merges(self) -> list[str]:
        halves = {"ĠĠĠĠ": ("ĠĠ", "ĠĠ")}
        return [" ".join(halves.get(word, (word[:-1], word[-1]))) for word in WORDS]


def byte_letters() -> list[str]:
    """The letters byte-level BPE writes the bytes 0 to 255 with."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(0x100 + hidden.index(byte)) for byte in range(256)]


def write_gguf(path: Path, vocabulary: TinyVocabulary | None = None) -> Path:
    """A whole GGUF: a tokenizer, and one tensor each in F32, F16 and Q8_0."""
    vocabulary = vocabulary or TinyVocabulary()
    writer = gguf.GGUFWriter(path, "qwen2")
    tokens = vocabulary.tokens()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_merges(vocabulary.merges())
    writer.add_chat_template(CHATML)
    writer.add_block_count(2)
    writer.add_rope_freq_base(1e6)
    _add_metadata(writer, vocabulary.metadata)
    for name, values, kind in _tensors():
        writer.add_tensor(name, values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_metadata(writer: gguf.GGUFWriter, metadata: Mapping[str, Any]) -> None:
    for key, value in metadata.items():
        kinds = {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string}
        if key in writer.kv_data[0]:
            del writer.kv_data[0][key]
        kinds[type(value)](key, value)


def _tensors() -> list[tuple[str, np.ndarray[Any, Any], gguf.GGMLQuantizationType | None]]:
    values = np.linspace(-1, 1, 3 * 64, dtype=np.float32).reshape(3, 64)
    q8 = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    return [
        ("norm", values[0], None),
        ("half", values.astype(np.float16), None),
        ("linear", q8, gguf.GGMLQuantizationType.Q8_0),
    ]


def write_wheel(folder: Path, wheel: Wheel, content: bytes) -> Path:
    """A wheel with `content` as its one data member, as a package index would serve it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = wheel.package.replace("-", "_")
    info = f"{name}-{wheel.version}.dist-info"
    path = folder / f"{name}-{wheel.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(wheel.member, content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {wheel.package}\nVersion: {wheel.version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def entry_in_wheels(content: bytes, num_parts: int, **values: Any) -> CatalogEntry:
    """A catalogue entry for `content`, cut into as many wheels."""
    wheels = tuple(Wheel(f"tiny-part{part}", "1.0", f"tiny_part{part}/data.bin") for part in range(1, num_parts + 1))
    defaults: dict[str, Any] = {
        "id": "tiny",
        "file_name": "tiny.gguf",
        "size_bytes": len(content),
        "family": "qwen2",
        "quantisation": "Q8_0",
        "license": "none",
        "summary": "",
        "sha256": hashlib.sha256(content).hexdigest(),
        "wheels": wheels,
    }
    return CatalogEntry(**(defaults | values))


def split_content(content: bytes, num_parts: int) -> list[bytes]:
    """The content cut into parts of about the same size."""
    size = -(-len(content) // num_parts)
    return [content[start : start + size] for start in range(0, len(content), size)]
