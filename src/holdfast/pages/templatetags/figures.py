"""How pages write figures, moments and browsers."""

from __future__ import annotations

import re
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from holdfast.kit.clock import rfc3339

register = template.Library()
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = re.compile(r"Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux")


@register.filter
def grouped(number: int) -> str:
    """Write a whole number with a thin space between thousands (ISO 80000-1), the same in every language."""
    return f"{number:,}".replace(",", "\u202f")


@register.filter
def iso(at_us: int) -> str:
    """A moment as RFC 3339, for scripts."""
    return rfc3339(at_us)


@register.filter
def moment(at_us: int) -> SafeString:
    """A moment for people: its time, UTC; the whole date stands in the element."""
    text = rfc3339(at_us)
    return format_html('<time datetime="{}" title="{}">{} UTC</time>', text, text, text[11:16])


@register.filter
def dated(at_us: int) -> SafeString:
    """A moment of any day for people: date and time, UTC."""
    text = rfc3339(at_us)
    return format_html('<time datetime="{}">{} {} UTC</time>', text, text[:10], text[11:16])


@register.filter
def browser(agent: str) -> str:
    """Name browser and system from what they say of themselves: ``Firefox on Linux``."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = _SYSTEMS.search(agent)
    if not name:
        return agent[:40] or "unknown"
    return f"{name} on {system[0]}" if system else name


@register.filter
def role(word: str) -> str:
    """Name a role as people do: ``Client user``."""
    return word.replace("_", " ").capitalize()
