"""How figures are written on pages."""

from django import template

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """Write a whole number with a thin space between thousands (ISO 80000-1), the same in every language."""
    return f"{number:,}".replace(",", "\u202f")
