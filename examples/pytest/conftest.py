"""Starts the backend of examples/python for all tests, as a suite of your own would start yours."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest_plugins = ["pytester", "rehearse.plugin"]

BACKEND = Path(__file__).parent.parent / "python" / "backend.py"


@pytest.fixture(scope="session", autouse=True)
def backend():
    port = urlsplit(os.environ["BACKEND"]).port
    running = subprocess.Popen([sys.executable, str(BACKEND), str(port)])
    try:
        until_it_listens(port, running)
        yield
    finally:
        running.terminate()
        running.wait()


def until_it_listens(port, running):
    end = time.monotonic() + 60
    while time.monotonic() < end and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"the backend does not listen on port {port}")
