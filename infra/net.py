"""Listening sockets, and the addresses that people type."""

from __future__ import annotations

import logging
import socket

from domain.errors import DomainError

LOG = logging.getLogger("flowledger.net")
BACKLOG = 2048


class PortTaken(DomainError):
    """The port that was asked for is in use."""

    code = "PORT_TAKEN"


def listen(host: str, port: int, or_any: bool = False) -> socket.socket:
    """A listening socket on the port. or_any: on a free one where that is taken. Raises PortTaken."""
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
        server.listen(BACKLOG)
    except OSError as error:
        server.close()
        if not or_any or port == 0:
            raise PortTaken(f"port {port} on {host} cannot be used: {error.strerror}; choose another") from error
        LOG.warning("port %d is taken; taking a free one", port)
        return listen(host, 0)
    return server


def address_of(server: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = server.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
