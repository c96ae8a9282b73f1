"""A GGUF's vocabulary as a backend of the `tokenizers` package: byte-level BPE and SentencePiece.

SentencePiece's merges are not in the file: a pair may be joined if what it makes is in the vocabulary, the one of the
highest score first (Kudo and Richardson 2018). That is byte-pair encoding with the pairs ranked by score.
"""

from typing import TYPE_CHECKING, Any, Literal

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.engine.pretokenizers import Splitting, find_splitting
from heron.host.models.gguf import GgufFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

Kind = Literal["byte-level", "sentencepiece"]
BLANK = "▁"
"""how SentencePiece writes a space"""
# Values of `tokenizer.ggml.token_type`.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
_KINDS: dict[str, Kind] = {"gpt2": "byte-level", "llama": "sentencepiece"}


def read_kind(file: GgufFile) -> Kind:
    """Which kind of tokenizer a file has; UnsupportedModel names those Heron runs."""
    name = file.metadata.get("tokenizer.ggml.model")
    if name not in _KINDS:
        supported = "'gpt2' (byte-level BPE), 'llama' (SentencePiece)"
        raise UnsupportedModel(f"The tokenizer of {file.path} is {name!r}. Supported: {supported}.")
    return _KINDS[name]


def read_vocabulary(file: GgufFile) -> tuple[list[str], list[int]]:
    """Tokens and their types, by id; CorruptModel if they do not fit."""
    tokens = _read_list(file, "tokenizer.ggml.tokens", str)
    types = _read_list(file, "tokenizer.ggml.token_type", int) or [NORMAL] * len(tokens)
    if not tokens or len(types) != len(tokens):
        raise CorruptModel(f"{file.path} has {len(tokens)} tokens and {len(types)} token types.")
    return tokens, types


def read_splitting(file: GgufFile) -> Splitting:
    """How the file's byte-level tokenizer cuts text into words."""
    return find_splitting(str(file.metadata.get("tokenizer.ggml.pre", "default")))


def adds_bos(file: GgufFile) -> bool:
    """Whether every prompt begins with the beginning-of-text token."""
    default = read_kind(file) == "sentencepiece" or read_splitting(file).adds_bos
    return bool(file.metadata.get("tokenizer.ggml.add_bos_token", default))


def build_backend(file: GgufFile) -> "Backend":
    """The file's tokenizer. Raises UnsupportedModel, CorruptModel."""
    from tokenizers import AddedToken

    kind = read_kind(file)
    tokens, types = read_vocabulary(file)
    try:
        build = _build_byte_level if kind == "byte-level" else _build_sentencepiece
        backend = build(file, tokens, types)
    except (CorruptModel, UnsupportedModel):
        raise
    except Exception as error:  # the backend raises bare Exception
        raise CorruptModel(f"The vocabulary in {file.path} does not fit its merges: {error}.") from error
    # User-defined tokens are text with a token of their own; control tokens are never read in a text.
    for kinds, special in (((CONTROL, UNKNOWN), True), ((USER_DEFINED,), False)):
        added = [token for token, found in zip(tokens, types, strict=True) if found in kinds]
        backend.add_tokens([AddedToken(token, special=special, normalized=False) for token in added])
    return backend


def _build_byte_level(file: GgufFile, tokens: list[str], types: list[int]) -> "Backend":
    from tokenizers import Regex, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    splitting = read_splitting(file)
    merges = [_split_merge(merge) for merge in _read_list(file, "tokenizer.ggml.merges", str)]
    backend = Backend(models.BPE(vocab=_index(tokens), merges=merges, ignore_merges=splitting.ignore_merges))
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in splitting.patterns]
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = decoders.ByteLevel()
    return backend


def _build_sentencepiece(file: GgufFile, tokens: list[str], types: list[int]) -> "Backend":
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers

    scores = _read_list(file, "tokenizer.ggml.scores", float)
    if len(scores) != len(tokens):
        raise CorruptModel(f"{file.path} has {len(tokens)} tokens and {len(scores)} scores.")
    pieces = {token: score for token, kind, score in zip(tokens, types, scores, strict=True) if kind == NORMAL}
    unknown = next((token for token, kind in zip(tokens, types, strict=True) if kind == UNKNOWN), None)
    model = models.BPE(vocab=_index(tokens), merges=_rank_merges(pieces), unk_token=unknown, byte_fallback=True)
    backend = Backend(model)
    # No blank is put before a text: what a prompt continues begins where it begins.
    backend.normalizer = normalizers.Replace(" ", BLANK)
    backend.decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()])
    return backend


def _rank_merges(pieces: dict[str, float]) -> list[tuple[str, str]]:
    """All pairs of pieces that make a piece, the highest score first."""
    pairs = [
        (-score, piece[:cut], piece[cut:])
        for piece, score in pieces.items()
        for cut in range(1, len(piece))
        if piece[:cut] in pieces and piece[cut:] in pieces
    ]
    pairs.sort(key=lambda pair: pair[0])
    return [(left, right) for _, left, right in pairs]


def _index(tokens: list[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(tokens)}


def _split_merge(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right


def _read_list(file: GgufFile, key: str, kind: type) -> list[Any]:
    values = file.metadata.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise CorruptModel(f"{key} in {file.path} is not a list of {kind.__name__}.")
    return values
