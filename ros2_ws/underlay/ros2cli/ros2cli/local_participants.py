"""How many DDS participants of a domain live on this machine.

Discovery announces at start and then every 3 s. When the answer to the first announcement gets
lost, a list taken after half a second would miss running nodes. The open discovery ports say how
many participants there are to wait for.

**Source**: DDSI-RTPS 2.3, section 9.6.1.1: port = 7400 + 250 domain + 10 + 2 participant.
"""

import re
from pathlib import Path

_PORT_BASE = 7400
_DOMAIN_GAIN = 250
_UNICAST_OFFSET = 10
_TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))


def count_local_participants(domain: int) -> int:
    """Count the participants of a domain by their open discovery ports; 0 where unknown."""
    first = _PORT_BASE + _DOMAIN_GAIN * domain + _UNICAST_OFFSET
    ports = range(first, _PORT_BASE + _DOMAIN_GAIN * (domain + 1), 2)
    return len(_open_udp_ports().intersection(ports))


def _open_udp_ports() -> set[int]:
    found = set()
    for table in _TABLES:
        if table.is_file():  # not on macOS, nor without IPv6
            text = table.read_text(encoding="ascii")
            found |= {int(port, 16) for port in re.findall(r"^ *\d+: \w+:(\w{4}) ", text, re.M)}
    return found
