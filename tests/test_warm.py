"""Kernels forked from a process with torch in it: they are where they were asked to be, can be interrupted, and end with the one who asked."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import warm
from jupyter_client.manager import KernelManager

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where kernels can be asked for: the process that the notebooks' tests use, or one of its own."""
    if "VAECOURSE_WARM_KERNELS" in os.environ:
        yield os.environ["VAECOURSE_WARM_KERNELS"]
    else:
        place = str(tmp_path_factory.mktemp("warm") / "asked")
        process = warm.start(place)
        yield place
        process.terminate()
        process.wait(10)


@pytest.fixture
def kernel(path: str, through_files: dict[str, str], tmp_path: Path) -> Iterator[tuple[KernelManager, Any]]:
    manager = warm.asking(KernelManager, path)(kernel_name="python3", **through_files)
    manager.start_kernel(cwd=str(tmp_path), env=os.environ | {"ASKED": "yes"})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def said(client: Any, code: str) -> str:
    printed: list[str] = []
    client.execute_interactive(
        code, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", m["content"].get("ename", "")))
    )
    return "".join(printed).strip()


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_kernel_is_in_its_folder_with_its_environment_and_without_the_package(kernel: tuple, tmp_path: Path) -> None:
    _, client = kernel
    assert said(client, "import os, sys; print(os.getcwd(), os.environ['ASKED'])") == f"{tmp_path} yes"
    assert said(client, "print('torch' in sys.modules, [m for m in sys.modules if m.startswith('vaecourse')], sys.argv[0])").startswith(
        "True []"
    )


def test_a_kernel_is_interrupted_by_its_manager_and_goes_on(kernel: tuple) -> None:
    manager, client = kernel
    asked = client.execute("import time\nfor _ in range(600):\n    time.sleep(0.1)", stop_on_error=False)
    time.sleep(1)
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=30)["content"]["ename"] == "KeyboardInterrupt", asked
    assert said(client, "print(6 * 7)") == "42"


def test_a_kernel_ends_with_the_one_who_asked(kernel: tuple) -> None:
    manager, client = kernel
    number = int(said(client, "import os; print(os.getpid())"))
    assert alive(number)
    os.kill(manager.provisioner.process.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while alive(number) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(number)


def test_the_exit_status_of_a_kernel_is_that_of_its_stand_in(kernel: tuple) -> None:
    manager, client = kernel
    client.execute("import os; os._exit(7)")
    assert manager.provisioner.process.wait(30) == 7
