"""The projector's own process: `python -m infra.postgres.read_models_process`, told what to do by one line of JSON
(ProjectorSettings) on standard input. It ends when standard input closes, that is, when its parent stops it or dies.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading

import msgspec

from infra.postgres.read_models import ProjectorSettings, run_projector


def main() -> None:
    """Project until standard input closes or SIGTERM comes. SIGINT is the parent's to handle."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=ProjectorSettings)
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    run_projector(settings, stop)


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    main()
