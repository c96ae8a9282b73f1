"""A real tokenizer whose tokens are single bytes, with fill-in-the-middle marks and a chat template."""

from heron.host.engine.special_tokens import FimTokens
from heron.host.engine.tokenizer import Tokenizer, TokenizerConfig

END = 256
MARKS = FimTokens(257, 258, 259)
VOCAB_SIZE = 260


def make_byte_tokenizer() -> Tokenizer:
    """Token ids 0 to 255 are bytes; then the end of an answer, and the marks of prefix, suffix and middle."""
    from tokenizers import AddedToken, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    backend = Backend(models.BPE(vocab={letter: byte for byte, letter in enumerate(_letters())}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(
        [AddedToken(name, special=True) for name in ("<end>", "<prefix>", "<suffix>", "<middle>")]
    )
    config = TokenizerConfig(
        vocab_size=VOCAB_SIZE,
        special_ids=(END, MARKS.prefix, MARKS.suffix, MARKS.middle),
        stop_ids=(END,),
        fim=MARKS,
        bos_id=None,
        eos_id=END,
        chat_template="{% for message in messages %}{{ message.content }}{{ '<end>' }}{% endfor %}",
    )
    return Tokenizer(backend, config)


def _letters() -> list[str]:
    """The letter that byte-level BPE writes for each byte (GPT-2's table)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain} | {byte: chr(256 + index) for index, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]
