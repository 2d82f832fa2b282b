"""Log lines of all processes: to stderr, as text for people or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
import sys
import time

from infra.settings import Settings


class _Text(logging.Formatter):
    """`17:03:11.482 info  serve  message`"""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        head = f"{clock}.{int(record.msecs):03} {record.levelname.lower():7} {self._process:9}"
        text = f"{head} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _Json(logging.Formatter):
    """time (Unix seconds), level, process, logger, message, and the exception if there is one."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(settings: Settings, process: str) -> None:
    """Send this process's log to stderr; `process` names it in each line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(process) if settings.log_format == "json" else _Text(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for quiet in ("httpx", "httpcore", "psycopg.pool", "asyncio", "uvicorn", "kafka"):
        logging.getLogger(quiet).setLevel(max(logging.WARNING, root.level))
