"""TCP ports: which are free, and who is told when one is not."""

from __future__ import annotations

import errno
import socket

from scripts.runtime.refusal import Refusal


def free(address: str = "127.0.0.1") -> int:
    """A port on that address that nobody listens on at this moment."""
    with _socket(address) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def claimed(port: int, option: str, address: str = "") -> int:
    """The port, or a free one for 0. Raises Refusal, naming the option, when another program listens on it."""
    if port == 0:
        return free(address)
    if not 0 < port < 65536:
        raise Refusal(f"{option} takes a port from 1 to 65535, or 0 for any free one.", status=2)
    with _socket(address) as probe:
        # As the servers themselves do: a port that is only waiting after a close is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError:
            raise Refusal(f"Port {port} needs root; {option} takes one above 1023.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Refusal(f"Port {port} is taken by another program. Name another one with {option}.") from None
            raise Refusal(f"Port {port} on {address or 'all addresses'} cannot be used: {error.strerror}.") from None
    return port


def _socket(address: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
