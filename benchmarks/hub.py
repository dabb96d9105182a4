"""A JupyterHub on this machine, with students who open notebooks at once: how long they wait, and how much memory they need.

    python benchmarks/hub.py --students 10 --notebooks 03 08

It needs jupyterhub, and configurable-http-proxy (`npm install configurable-http-proxy`), whose program is found on the PATH or named with
--proxy. Every student has a server of their own, started by the hub, and a kernel, in which the cells of a notebook run from top to bottom.
The table gives the time from the request of the server to the first output, the time until the last cell has run, and the memory of the
kernels and servers: PSS, in which memory that processes share is divided among them, at its highest.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import nbformat
import psutil
import requests
import websocket

from vaecourse.regression import find

TOKEN = uuid.uuid4().hex
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.services = [{{"name": "benchmark", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{"name": "benchmark", "services": ["benchmark"],
    "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"]}}]
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
c.Spawner.environment = {{"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "PYTHONPATH": "{path}"}}
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Student(threading.Thread):
    """Starts a server, a kernel, and runs the code cells of a notebook."""

    def __init__(self, url: str, name: str, path: Path):
        super().__init__(daemon=True)
        self.url, self.student, self.path = url, name, path
        self.first, self.last, self.errors = float("nan"), float("nan"), []

    def run(self) -> None:
        headers, began = {"Authorization": f"token {TOKEN}"}, time.monotonic()
        requests.post(f"{self.url}/hub/api/users/{self.student}", headers=headers)
        requests.post(f"{self.url}/hub/api/users/{self.student}/server", headers=headers)
        while not requests.get(f"{self.url}/hub/api/users/{self.student}", headers=headers).json().get("server"):
            time.sleep(0.5)
        server = f"{self.url}/user/{self.student}"
        kernel = requests.post(f"{server}/api/kernels", headers=headers, json={"name": "python3"}).json()["id"]
        address = f"{server.replace('http', 'ws')}/api/kernels/{kernel}/channels"
        link = websocket.create_connection(address, header=[f"Authorization: token {TOKEN}"], timeout=1800)
        for cell in nbformat.read(self.path, as_version=4).cells:
            if cell.cell_type == "code":
                self.execute(link, cell.source)
                self.first = time.monotonic() - began if self.first != self.first else self.first
        self.last = time.monotonic() - began
        requests.delete(f"{server}/api/kernels/{kernel}", headers=headers)

    def execute(self, link: websocket.WebSocket, code: str) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        link.send(json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}))
        while True:
            message = json.loads(link.recv())
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if message["msg_type"] == "error":
                self.errors.append(message["content"]["evalue"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return


def memory(parent: int, peaks: dict[int, tuple[str, int]]) -> None:
    """Keep the highest PSS of every kernel and server below a process."""
    for process in psutil.Process(parent).children(recursive=True):
        try:
            line = " ".join(process.cmdline())
            kind = "kernel" if "ipykernel" in line else "server" if "singleuser" in line else ""
            if kind:
                peaks[process.pid] = (kind, max(peaks.get(process.pid, ("", 0))[1], process.memory_full_info().pss))
        except psutil.Error:
            continue


def measure(students: int, path: Path, proxy: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder) / "jupyterhub_config.py"
        homes = Path(folder) / "homes"
        settings = {"port": port, "hub_port": free_port(), "api_port": free_port(), "token": TOKEN, "proxy": proxy}
        config.write_text(CONFIG.format(**settings, python=sys.executable, homes=homes, path=os.environ.get("PYTHONPATH", "")))
        hub = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            while True:
                try:
                    if requests.get(f"{url}/hub/api", timeout=5).ok:
                        break
                except requests.ConnectionError:
                    time.sleep(0.5)
            everyone = [Student(url, f"student{i}", path) for i in range(students)]
            for student in everyone:
                (homes / student.student).mkdir(parents=True)
            peaks: dict[int, tuple[str, int]] = {}
            for student in everyone:
                student.start()
            while any(student.is_alive() for student in everyone):
                memory(hub.pid, peaks)
                time.sleep(0.5)
        finally:
            hub.terminate()
            hub.wait(60)
    errors = [error for student in everyone for error in student.errors]
    mb = {kind: max((pss for k, pss in peaks.values() if k == kind), default=0) / 1e6 for kind in ("kernel", "server")}
    total = sum(pss for _, pss in peaks.values()) / 1e9
    firsts, lasts = ([getattr(student, name) for student in everyone] for name in ("first", "last"))
    return (
        f"| {path.stem[:2]} | {students} | {statistics.median(firsts):.0f} | {max(firsts):.0f} | {max(lasts):.0f} "
        f"| {mb['kernel']:.0f} | {mb['server']:.0f} | {total:.1f} | {len(errors)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--notebooks", nargs="+", default=["03", "08"])
    parser.add_argument("--proxy", default=shutil.which("configurable-http-proxy"))
    chosen = parser.parse_args()
    if not chosen.proxy:
        parser.error("configurable-http-proxy is not on the PATH: npm install configurable-http-proxy, and pass --proxy")
    print("| notebook | students | first output, median s | slowest s | all cells, slowest s | kernel MB | server MB | all GB | errors |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in find(chosen.notebooks):
        for students in chosen.students:
            print(measure(students, path, chosen.proxy), flush=True)


if __name__ == "__main__":
    main()
