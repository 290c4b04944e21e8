"""Processes that end with the test that started them, however it ends."""
import ctypes
import signal
import threading

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def ends_with_us(before=None):
    """For subprocess.Popen's preexec_fn: the system kills the process when the test is gone. `before` is called as well."""
    # It is about the thread that starts the process.
    assert threading.current_thread() is threading.main_thread(), "a thread that ends would end its processes"

    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if before:
            before()

    return prepare
