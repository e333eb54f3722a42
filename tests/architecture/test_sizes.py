"""Functions under 60 lines, modules under 500: an exemption says why (``# size: …``)."""

from __future__ import annotations

import statistics

from architecture.source import functions, modules

LONGEST_FUNCTION = 60
LONGEST_MODULE = 500
USUAL_MODULE = 400


def test_no_function_is_longer_than_a_screen():
    too_long = [
        f"{module.name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for module in modules()
        for node in functions(module)
        if node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION and not module.excused(node, "size")
    ]
    assert not too_long, "\n".join(too_long)


def test_functions_are_mostly_short():
    lengths = [n.end_lineno - n.lineno + 1 for module in modules() for n in functions(module)]
    assert statistics.quantiles(lengths, n=10)[-1] < 35


def test_no_module_is_too_long_to_read():
    too_long = [
        f"{module.name} has {lines} lines"
        for module in modules()
        if (lines := module.text.count("\n")) > LONGEST_MODULE
        and "# size: " not in module.text.partition('"""\n')[0] + module.text[:400]
    ]
    assert not too_long, "\n".join(too_long)


def test_modules_are_mostly_short():
    long = [module.name for module in modules() if module.text.count("\n") > USUAL_MODULE]
    assert len(long) <= len(modules()) * 0.05, "\n".join(long)
