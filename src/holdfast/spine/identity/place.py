"""Where a request comes from, against what a credential or contract is bound to."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network


def within(peer: str, networks: Iterable[str]) -> bool:
    """Tell whether the address ``peer`` lies in one of the ranges; what is no address lies in none.

    An IPv4 address that arrives in its IPv6 form (``::ffff:192.0.2.1``) counts as the IPv4 address that it is.
    """
    address = _address(peer)
    return address is not None and any(address in _range(text) for text in networks)


def is_address(text: str) -> bool:
    """Tell whether ``text`` is an IP address."""
    return _address(text) is not None


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=1024)
def _range(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
