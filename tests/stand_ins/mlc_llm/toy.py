"""The stand-in's model: no weights, but all that a stream of tokens has."""

import json
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tokenizers import Tokenizer

_WINDOW = 8
_CHOICES = 400


class Toy:
    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        config = json.loads((folder / "mlc-chat-config.json").read_text())
        ending = (config.get("conv_template") or {}).get("stop_token_ids") or []
        self._ending = set(ending)
        special = {index for index, token in self._tokenizer.get_added_tokens_decoder().items() if token.special}
        plain = [index for index in range(self._tokenizer.get_vocab_size()) if index not in special]
        readable = [index for index in plain if self.decode([index]).isprintable() and self.decode([index])]
        self._candidates = readable[:_CHOICES]

    def encode(self, text: str) -> list[int]:
        """Special tokens written in a text are parsed."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, token_ids: list[int]) -> str:
        return str(self._tokenizer.decode(token_ids, skip_special_tokens=False))

    def answer(self, wanted: Any) -> Any:
        """The pieces of a whole answer, cut at the first stop string."""
        context, token_ids, text, pieces = list(wanted.token_ids), [], "", []
        forced = self.encode(json.dumps({"answer": 42})) if wanted.is_json else None
        finish = "length"
        while len(token_ids) < wanted.limit and finish == "length":
            token_id = self._next(context, wanted) if forced is None else forced[len(token_ids)]
            context.append(token_id)
            token_ids.append(token_id)
            grown = self.decode(token_ids)
            cut = min((at for stop in wanted.stops if (at := grown.find(stop)) >= 0), default=None)
            if token_id in self._ending or cut is not None or (forced is not None and len(token_ids) == len(forced)):
                finish = "stop"
            is_last = cut is None and (finish == "stop" or len(token_ids) == wanted.limit)
            shown = grown[: len(grown) if is_last else cut if cut is not None else _safe(grown, wanted.stops)]
            pieces.append(self._piece(shown[len(text) :], token_id, wanted))
            text = shown
        return SimpleNamespace(pieces=pieces, finish=finish, num_tokens=len(token_ids), token_ids=token_ids)

    def _next(self, context: list[int], wanted: Any) -> int:
        seed = repr((context[-_WINDOW:], wanted.seed)).encode()

        def score(token_id: int) -> float:
            return zlib.crc32(seed + token_id.to_bytes(4, "little")) / 2**32 + wanted.bias.get(token_id, 0.0)

        return max([*self._candidates, *wanted.bias], key=score)

    def _piece(self, text: str, token_id: int, wanted: Any) -> Any:
        logprobs = None
        if wanted.logprobs is not None:
            name = self.decode([token_id])
            top = [{name: -0.5}] if wanted.logprobs else [{}]
            logprobs = SimpleNamespace(tokens=[name], token_logprobs=[-0.5], top_logprobs=top)
        return SimpleNamespace(text=text, finish_reason=None, logprobs=logprobs, index=0)


def _safe(text: str, stops: list[str]) -> int:
    """How much of a text can be shown: not what may begin a stop string."""
    held = [length for stop in stops for length in range(1, len(stop)) if text.endswith(stop[:length])]
    return len(text) - max(held, default=0)
