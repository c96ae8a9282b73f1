"""Heron: a language server that hosts a local code model."""

__version__ = "0.1.0"
