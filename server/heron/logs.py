"""One JSON object a line in the place of log lines for people, for whoever collects the logs of many hosts.

A record is told by its time, level, logger, process and message; `fields` given with it come as keys of their own. As
everywhere, what users write and models answer is no part of it.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from heron.settings import LogFormat


def choose_log_format(form: LogFormat, process: str) -> None:
    """Let every handler of this process write in a form; `process` is what it is called in JSON."""
    if form == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter(process))


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """What to pass as `extra` of a log call, so that these values are keys of the JSON line."""
    return {"heron_fields": values}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; an exception's traceback is one text in it."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": self._process,
            "pid": os.getpid(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | getattr(record, "heron_fields", {}), ensure_ascii=False, default=str)
