"""Text to token ids and back, built once from a GGUF and loaded fast from its saved folder after that."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heron.errors import CorruptModel
from heron.host.engine.special_tokens import FimTokens, find_fim_tokens, find_stop_ids, read_token_id
from heron.host.engine.vocabulary import (
    BLANK,
    CONTROL,
    UNKNOWN,
    UNUSED,
    Kind,
    adds_bos,
    build_backend,
    read_kind,
    read_vocabulary,
)
from heron.host.models.gguf import GgufFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_MODEL_FILE = "tokenizer.json"
_CONFIG_FILE = "tokenizer_config.json"
_BYTE_TOKEN = re.compile("<0x([0-9A-F]{2})>")
"""a byte that SentencePiece has no piece for"""


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """What a tokenizer is beside its merges; the content of `tokenizer_config.json`."""

    vocab_size: int
    special_ids: tuple[int, ...]
    """control, unknown and unused tokens: never part of text"""
    stop_ids: tuple[int, ...]
    fim: FimTokens | None
    bos_id: int | None
    """the token every prompt begins with; None where the model wants none"""
    eos_id: int | None
    chat_template: str | None
    kind: Kind = "byte-level"


class Tokenizer:
    """A byte-level BPE or SentencePiece tokenizer. Immutable after construction, safe to share between threads."""

    def __init__(self, backend: "Backend", config: TokenizerConfig) -> None:
        backend.encode_special_tokens = True  # special tokens written in a text are text; see encode
        self._backend = backend
        self._byte_of_letter = _bytes_by_letter()
        self._special = _special_tokens(backend)
        self._user_defined = _user_defined_tokens(backend)
        self._special_pattern = _alternatives(self._special)
        self.config = config
        self.special_ids = frozenset(config.special_ids)
        self.stop_ids = frozenset(config.stop_ids)

    @classmethod
    def from_gguf(cls, file: GgufFile) -> "Tokenizer":
        """Build from the `tokenizer.ggml.*` metadata. Raises UnsupportedModel, CorruptModel."""
        return cls(build_backend(file), _read_config(file))

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Load what `save` wrote. Raises CorruptModel when it is not there or not whole."""
        from tokenizers import Tokenizer as Backend

        try:
            config = _parse_config((folder / _CONFIG_FILE).read_text(encoding="utf-8"))
            return cls(Backend.from_file(str(folder / _MODEL_FILE)), config)
        except Exception as error:  # the backend raises bare Exception
            raise CorruptModel(f"The tokenizer in {folder} cannot be read: {error}.") from error

    def save(self, folder: Path) -> None:
        """Write tokenizer.json (the format of the `tokenizers` package) and tokenizer_config.json (ours)."""
        folder.mkdir(parents=True, exist_ok=True)
        self._backend.save(str(folder / _MODEL_FILE), pretty=False)
        text = json.dumps(asdict(self.config), ensure_ascii=False)
        (folder / _CONFIG_FILE).write_text(text, encoding="utf-8")

    @property
    def vocab_size(self) -> int:
        return self.config.vocab_size

    @property
    def fim(self) -> FimTokens | None:
        return self.config.fim

    @property
    def bos_id(self) -> int | None:
        return self.config.bos_id

    @property
    def chat_template(self) -> str | None:
        return self.config.chat_template

    @property
    def special_texts(self) -> Iterable[str]:
        """How the special tokens are written."""
        return self._special.keys()

    @property
    def mark_texts(self) -> tuple[str, ...]:
        """How marks are written that are text with a token of their own, such as `<tool_call>`."""
        names = map(self.token_name, self._user_defined)
        return tuple(name for name in names if len(name) > 2 and name[0] + name[-1] == "<>")

    def encode(self, text: str, parse_special: bool = False) -> list[int]:
        """Token ids of a text. Special tokens written in it are plain text unless `parse_special`."""
        if not parse_special:
            return self._encode_plain(text)
        ids: list[int] = []
        for piece, token_id in self.split_special(text):
            ids.extend(self._encode_plain(piece) if token_id is None else (token_id,))
        return ids

    def split_special(self, text: str) -> list[tuple[str, int | None]]:
        """The text cut at the special tokens written in it: pieces, each with its id if it is one."""
        pieces = self._special_pattern.split(text) if self._special_pattern else [text]
        return [(piece, self._special.get(piece)) for piece in pieces if piece]

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[int]]:
        """Token ids of a plain text and the index in `text` at which each begins."""
        encoding = self._backend.encode(_replace_surrogates(text), add_special_tokens=False)
        return encoding.ids, [start for start, _ in encoding.offsets]

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens, special ones dropped; bytes that are not UTF-8 become U+FFFD."""
        return b"".join(map(self.token_bytes, token_ids)).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes a token stands for; none for a special token or an id outside the vocabulary."""
        if token_id in self.special_ids:
            return b""
        name = self._backend.id_to_token(token_id) or ""
        if token_id in self._user_defined:
            return name.encode()
        if self.config.kind == "sentencepiece":
            byte = _BYTE_TOKEN.fullmatch(name)
            return bytes.fromhex(byte[1]) if byte else name.replace(BLANK, " ").encode()
        return name.translate(self._byte_of_letter).encode("latin-1", "ignore")

    def token_name(self, token_id: int | None) -> str:
        """How the vocabulary writes a token, special ones included; empty for None or outside the vocabulary."""
        return "" if token_id is None else self._backend.id_to_token(token_id) or ""

    def _encode_plain(self, text: str) -> list[int]:
        ids: list[int] = self._backend.encode(_replace_surrogates(text), add_special_tokens=False).ids
        return ids


def _read_config(file: GgufFile) -> TokenizerConfig:
    tokens, types = read_vocabulary(file)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    fim = find_fim_tokens(vocabulary, file.metadata)
    template = file.metadata.get("tokenizer.chat_template")
    return TokenizerConfig(
        vocab_size=len(tokens),
        special_ids=tuple(index for index, kind in enumerate(types) if kind in (CONTROL, UNKNOWN, UNUSED)),
        stop_ids=tuple(sorted(find_stop_ids(vocabulary, file.metadata, fim))),
        fim=fim,
        bos_id=read_token_id(file.metadata, "tokenizer.ggml.bos_token_id", len(tokens)) if adds_bos(file) else None,
        eos_id=read_token_id(file.metadata, "tokenizer.ggml.eos_token_id", len(tokens)),
        chat_template=template if isinstance(template, str) else None,
        kind=read_kind(file),
    )


def _parse_config(text: str) -> TokenizerConfig:
    values = json.loads(text)
    fim = FimTokens(**values["fim"]) if values["fim"] else None
    special_ids, stop_ids = tuple(values["special_ids"]), tuple(values["stop_ids"])
    return TokenizerConfig(**(values | {"fim": fim, "special_ids": special_ids, "stop_ids": stop_ids}))


def _special_tokens(backend: "Backend") -> dict[str, int]:
    added = backend.get_added_tokens_decoder()
    return {token.content: index for index, token in added.items() if token.special}


def _user_defined_tokens(backend: "Backend") -> frozenset[int]:
    return frozenset(index for index, token in backend.get_added_tokens_decoder().items() if not token.special)


def _alternatives(texts: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern, longest first, with a group so that `split` keeps what it matched."""
    ordered = sorted(filter(None, texts), key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, ordered))})") if ordered else None


def _replace_surrogates(text: str) -> str:
    """Lone surrogates, which JSON can carry and UTF-8 cannot, become U+FFFD."""
    return text if text.isascii() else re.sub(r"[\ud800-\udfff]", "�", text)


def _bytes_by_letter() -> dict[int, int | None]:
    """GPT-2's table by code point: printable bytes stand for themselves, the others for letters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in printable]
    letters = {0x100 + index: byte for index, byte in enumerate(hidden)}
    return {byte: byte if byte in printable else None for byte in range(256)} | letters
