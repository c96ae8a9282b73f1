"""Rows of cells as lines of a terminal."""

from collections.abc import Sequence


def lay_out(rows: Sequence[Sequence[str]], num_left: int | None = None) -> list[str]:
    """Lines with the cells one below the other: the first `num_left` columns to the left (None: all), others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_pad, row, widths, _sides(len(widths), num_left))).rstrip() for row in rows]


def _sides(num_columns: int, num_left: int | None) -> list[bool]:
    return [num_left is None or column < num_left for column in range(num_columns)]


def _pad(cell: str, width: int, is_left: bool) -> str:
    return cell.ljust(width) if is_left else cell.rjust(width)
