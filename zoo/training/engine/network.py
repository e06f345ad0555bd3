"""The network card through which another machine is reached.  Without torch.

Gloo takes the one to which this machine's own name leads; where /etc/hosts says 127.0.1.1, no other machine reaches it.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from contextlib import suppress

GET_ADDRESS = 0x8915
"""SIOCGIFADDR of Linux: the IPv4 address of a card."""


def network_card(address: str) -> str:
    """The name of the card, as in "eth0"; empty where it is not known, or leads to this machine alone."""
    try:
        import fcntl  # noqa: PLC0415  not on Windows

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # sends nothing
            own = probe.getsockname()[0]
            if ipaddress.ip_address(own).is_loopback:
                return ""
            for _, name in socket.if_nameindex():
                with suppress(OSError):
                    answer = fcntl.ioctl(probe.fileno(), GET_ADDRESS, struct.pack("256s", name.encode()[:15]))
                    if socket.inet_ntoa(answer[20:24]) == own:
                        return name
    except (ImportError, OSError, AttributeError):
        pass
    return ""
