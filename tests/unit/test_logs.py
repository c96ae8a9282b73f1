"""Log lines as JSON: one object a line, with the values given beside the message."""

import io
import json
import logging
import sys

from heron.logs import JsonFormatter, choose_log_format, fields


def _record(message: str, **extra: object) -> logging.LogRecord:
    return logging.getLogger("heron.test").makeRecord(
        "heron.test", logging.INFO, __file__, 1, message, (), None, extra=extra
    )


def test_a_record_is_one_line_with_its_fields() -> None:
    line = JsonFormatter("host").format(_record("two\nlines é", **fields({"tokens": 3})))
    assert "\n" not in line
    read = json.loads(line)
    assert (read["message"], read["level"], read["logger"], read["process"], read["tokens"]) == (
        "two\nlines é", "info", "heron.test", "host", 3,
    )  # fmt: skip
    assert read["time"].endswith("+00:00")


def test_a_traceback_is_one_text() -> None:
    record = _record("failed")
    try:
        raise ValueError("no")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: no" in json.loads(JsonFormatter("host").format(record))["exception"]


def test_only_json_changes_the_handlers() -> None:
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    root.addHandler(handler)
    before = {other: other.formatter for other in root.handlers}
    try:
        choose_log_format("text", "host")
        assert handler.formatter is None
        choose_log_format("json", "host")
        root.warning("seen")
    finally:
        for other, formatter in before.items():
            other.setFormatter(formatter)
        root.removeHandler(handler)
    assert json.loads(stream.getvalue())["message"] == "seen"
