"""``holdfast worker``: the background work of a house, on its own."""

from __future__ import annotations

import click


@click.command()
def worker() -> None:
    """Sequence and publish the logs, run jobs, sweep. `holdfast serve` starts one by itself.

    \b
    Example:
      holdfast worker
    """
    from holdfast.edges.worker.process import main

    main()
