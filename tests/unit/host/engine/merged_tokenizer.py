"""A real byte-level BPE tokenizer with a few tokens of more than one letter, and marks."""

from collections.abc import Sequence

from heron.host.engine.tokenizer import Tokenizer, TokenizerConfig
from unit.host.engine.byte_tokenizer import _letters

END = 256
UNUSED = 257
MARK = 258
MERGED = ("ab", "ba", "bb", "aab", "abab", '{"', '":')
VOCAB_SIZE = 259 + len(MERGED)


PLAIN_TEMPLATE = "{% for message in messages %}{{ message.role }}:{{ message.content }}{{ '<end>' }}{% endfor %}"


def make_merged_tokenizer(template: str = PLAIN_TEMPLATE, merged: Sequence[str] = MERGED) -> Tokenizer:
    """Token ids 0 to 255 are bytes; then the end, an unused token, the mark `<tool_call>`, and the merged ones."""
    from tokenizers import AddedToken, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    names = [*_letters(), "<end>", "[UNUSED]", "<tool_call>", *merged]
    known = set(_letters())
    merges = []
    for name in merged:
        cut = next(index for index in range(1, len(name)) if {name[:index], name[index:]} <= known)
        merges.append((name[:cut], name[cut:]))
        known.add(name)
    backend = Backend(models.BPE(vocab={name: index for index, name in enumerate(names)}, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken("<end>", special=True)])
    backend.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
    config = TokenizerConfig(
        vocab_size=len(names),
        special_ids=(END, UNUSED),
        stop_ids=(END,),
        fim=None,
        bos_id=None,
        eos_id=END,
        chat_template=template,
    )
    return Tokenizer(backend, config)
