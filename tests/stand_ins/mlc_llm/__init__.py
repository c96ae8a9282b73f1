"""A stand-in for MLC-LLM's package where that cannot be installed: its surface and its oddities, none of its code.

Built from what was seen when the real one was run: arguments, refusals, streams, usage, and what hangs. Its model is a
toy: the next token is a function of the last eight, so that equal prompts have equal answers and others others.
"""

from mlc_llm.engine import AsyncMLCEngine

__all__ = ["AsyncMLCEngine"]
__version__ = "0.0.stand-in"
