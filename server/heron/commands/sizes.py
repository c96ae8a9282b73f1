"""Sizes for people."""


def format_size(size_bytes: int) -> str:
    """Bytes in powers of ten."""
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
