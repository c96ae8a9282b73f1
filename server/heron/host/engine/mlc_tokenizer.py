"""The tokenizer of a folder of MLC-LLM's: its tokenizer.json, read as our own engine reads a GGUF's.

The marks of such a file are not all flagged as special (Qwen's are text there), so what looks like one counts as one,
as in llama.cpp's converter. Normalisation is left out: what a prompt continues is continued byte for byte.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.engine.mlc_template import read_chat_template
from heron.host.engine.special_tokens import find_fim_tokens, find_stop_ids
from heron.host.engine.tokenizer import Tokenizer, TokenizerConfig
from heron.host.engine.vocabulary import BLANK, Kind
from heron.host.models.gguf import GgufFile
from heron.host.models.mlc_format import TOKENIZER_FILE, MlcConfig, read_mlc_config

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_MARK = re.compile(r"<[|｜].*[|｜]>|<(fim|repo|file)[_-].*>|\[(PREFIX|SUFFIX|MIDDLE)\]|<(start|end)_of_turn>")


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer with the model's stop tokens, FIM marks, template. Raises CorruptModel, UnsupportedModel."""
    config = read_mlc_config(folder)
    values = _read_json(folder / TOKENIZER_FILE)
    marks = [token for token in values.get("added_tokens") or () if _is_mark(token)]
    for token in marks:
        token["special"] = True
    kind = _find_kind(values, folder)
    backend = _build(values, kind, folder)
    adds_bos = _first_of_empty(values, folder)
    special = tuple(token["id"] for token in marks)
    return Tokenizer(backend, _describe(backend, config, special, (kind, adds_bos), read_chat_template(folder, config)))


def tokenizer_of(file: GgufFile) -> Tokenizer:
    """The tokenizer of an opened model: a GGUF file's, or that of the folder it stands for."""
    return read_tokenizer(file.path) if file.path.is_dir() else Tokenizer.from_gguf(file)


def _describe(
    backend: "Backend", config: MlcConfig, special: tuple[int, ...], form: tuple[Kind, int | None], template: str | None
) -> TokenizerConfig:
    vocabulary: dict[str, int] = backend.get_vocab(with_added_tokens=True)
    kind, bos_id = form
    fim = find_fim_tokens(vocabulary, {})
    named = _stop_ids(config)
    stops = find_stop_ids(vocabulary, {}, fim) | {token_id for token_id in named if token_id < len(vocabulary)}
    eos_id = next(iter(named), None)
    return TokenizerConfig(
        vocab_size=max(vocabulary.values(), default=-1) + 1,
        special_ids=special,
        stop_ids=tuple(sorted(stops)),
        fim=fim,
        bos_id=bos_id,
        eos_id=eos_id,
        chat_template=template,
        kind=kind,
    )


def _stop_ids(config: MlcConfig) -> list[int]:
    """What the configuration says ends an answer: one token, several, and those of its conversation."""
    told = config.values.get("eos_token_id")
    conversation = config.values.get("conv_template")
    of_chat = conversation.get("stop_token_ids") if isinstance(conversation, dict) else None
    listed = [*(told if isinstance(told, list) else [told]), *(of_chat if isinstance(of_chat, list) else [])]
    return [token_id for token_id in listed if type(token_id) is int and token_id >= 0]


def _is_mark(token: dict[str, Any]) -> bool:
    return bool(token.get("special")) or _MARK.fullmatch(str(token.get("content"))) is not None


def _find_kind(values: dict[str, Any], folder: Path) -> Kind:
    model, decoder = values.get("model") or {}, json.dumps(values.get("decoder"))
    if model.get("type", "BPE") == "BPE" and '"ByteLevel"' in decoder:
        return "byte-level"
    if model.get("type", "BPE") == "BPE" and '"ByteFallback"' in decoder:
        return "sentencepiece"
    raise UnsupportedModel(
        f"The tokenizer in {folder} is {model.get('type')!r}. Supported: byte-level BPE, SentencePiece."
    )


def _build(values: dict[str, Any], kind: Kind, folder: Path) -> "Backend":
    from tokenizers import normalizers

    changed = values | {"normalizer": None, "post_processor": None, "truncation": None, "padding": None}
    if kind == "sentencepiece":
        changed["pre_tokenizer"] = None  # Metaspace would put a blank before a text
    backend = _load(changed, folder)
    if kind == "sentencepiece":
        backend.normalizer = normalizers.Replace(" ", BLANK)
    return backend


def _first_of_empty(values: dict[str, Any], folder: Path) -> int | None:
    """The token that the file's own post-processor begins every text with."""
    ids: list[int] = _load(values, folder).encode("").ids if values.get("post_processor") else []
    return ids[0] if ids else None


def _load(values: dict[str, Any], folder: Path) -> "Backend":
    from tokenizers import Tokenizer as Backend

    try:
        return Backend.from_str(json.dumps(values))
    except Exception as error:  # the backend raises bare Exception
        raise CorruptModel(f"The tokenizer in {folder} cannot be read: {error}.") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptModel(f"{path} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise CorruptModel(f"{path} is not a JSON object.")
    return values
