"""The console's connections to PostgreSQL: four at most, and none that broke is handed out."""

from __future__ import annotations

import os
import subprocess
import sys

from support.cluster import cluster
from support.served import NEEDS_SERVER
from support.server import environment

pytestmark = NEEDS_SERVER
SCRIPT = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from holdfast.edges.cli.django import set_up
set_up()
import psycopg
from django.db import connection, connections
from holdfast.settings import HOUSE

MOST, PATIENCE_S = 4, 60
held, done = threading.Barrier(MOST + 1), threading.Event()

def ask(*, hold=False):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    if hold:
        held.wait(PATIENCE_S)
        done.wait(PATIENCE_S)
    connection.close()  # as at the end of a request
    return pid

with ThreadPoolExecutor(MOST + 1) as threads:
    busy = [threads.submit(ask, hold=True) for _ in range(MOST)]
    held.wait(PATIENCE_S)
    another = threads.submit(ask)
    patience = time.monotonic() + PATIENCE_S
    while connection.pool.get_stats().get("requests_waiting", 0) != 1:
        assert time.monotonic() < patience and not another.done()
    done.set()
    pids = {one.result() for one in busy}
    assert len(pids) == MOST
    assert another.result() in pids, "it waited for one that came back"

    with psycopg.connect(HOUSE.data.url.reveal(), autocommit=True) as server:
        for pid in pids:
            server.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while server.execute("SELECT 1 FROM pg_stat_activity WHERE pid = ANY (%s)", ([*pids],)).fetchone():
            pass
    fresh = {threads.submit(ask).result() for _ in range(2 * MOST)}
    assert not fresh & pids, "one that broke was handed out"
connections["default"].close_pool()
"""


def test_the_consoles_pool_is_bounded_and_survives_the_loss_of_its_connections(tmp_path):
    urls = {
        f"HOLDFAST_{name}_URL": cluster().make(f"pool{os.getpid()}_{name.lower()}")
        for name in ("DATABASE", "KEYS")
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment(tmp_path, **urls),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
