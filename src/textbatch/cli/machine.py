"""Tries what a command needs of the machine, before the large libraries do.

Where memory, threads or file handles are short, some libraries raise no error: OpenBLAS ends the
process, or interrupts it as Ctrl-C does, and others abort.
"""

from __future__ import annotations

import _thread
import errno
import mmap
import os
import re
import resource

from textbatch.errors import OutOfMemoryError, StarvedError

#: File handles that a job on a few files has open at the same time.
_FILES = 16
#: What numpy, pyarrow and ONNX Runtime take to load, in MiB, as measured.
_MEMORY, _ADDRESSES = 96, 528
#: What OpenBLAS takes besides for each core, and glibc for the threads of a core, in MiB.
_CORE_MEMORY, _CORE_ADDRESSES = 32, 176
#: What TensorFlow takes besides, in MiB.
_TRAINING_MEMORY, _TRAINING_ADDRESSES = 384, 1536
#: What protobuf raises where it gets no memory for a network's graph.
_NOT_ENCODED = "EncodeError"
_SHORT = (errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)
#: What the loader of libraries says where memory or file handles ran out.
_NOT_LOADED = re.compile(
    r"failed to map segment|cannot allocate memory|cannot create|too many open files|cannot apply"
    r"|can't start new thread|pthread_create|bad_alloc|Resource temporarily unavailable",
    re.IGNORECASE,
)


def check_machine(*, trains: bool) -> None:
    """Refuse to begin where this process lacks something that every job needs.

    Args:
        trains: Whether the command loads TensorFlow.

    Raises:
        StarvedError: It may not open enough files, or not start enough threads.
        OutOfMemoryError: It may not have enough memory.
    """
    _check_files()
    check_memory(trains=trains)
    _check_threads(2 * _cores() + 2)


def check_memory(*, trains: bool = False) -> None:
    """Refuse to begin where the libraries could not be loaded. No memory is used for it.

    Where there is a limit, Arrow takes its memory from the system: its own allocator reserves
    hundreds of MiB, and then the rest may be too little, so that a library aborts.

    Args:
        trains: Whether the command loads TensorFlow.

    Raises:
        OutOfMemoryError: A limit of the process (`ulimit -d`, `-v`) does not allow it.
    """
    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    if any(resource.getrlimit(one)[0] != resource.RLIM_INFINITY for one in limits):
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    memory = _MEMORY + _CORE_MEMORY * _cores() + trains * _TRAINING_MEMORY
    addresses = _ADDRESSES + _CORE_ADDRESSES * _cores() + trains * _TRAINING_ADDRESSES
    for size, protection in (
        (memory, mmap.PROT_READ | mmap.PROT_WRITE),
        # What may not be written counts as address space only.
        (addresses, mmap.PROT_READ),
    ):
        try:
            mmap.mmap(-1, size << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, protection).close()
        except (OSError, MemoryError) as error:
            raise OutOfMemoryError(
                f"this process may not have {size} MiB of memory, which the libraries need",
                "raise `ulimit -v` and `ulimit -d`, or the --max-memory of `score`",
            ) from error


def is_shortage(error: BaseException | None) -> bool:
    """Whether the machine has refused memory, a file handle or a thread; not each library says so.

    Args:
        error: What was raised; those that it was raised from count too.
    """
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        if isinstance(error, MemoryError) or type(error).__name__ == _NOT_ENCODED:
            return True
        if isinstance(error, OSError) and error.errno in _SHORT:
            return True
        if isinstance(error, OSError | ImportError | RuntimeError) and _NOT_LOADED.search(
            str(error)
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def _check_files() -> None:
    held: list[int] = []
    try:
        for _ in range(_FILES):
            held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if not is_shortage(error):
            raise
        raise StarvedError(
            f"this process may not open {_FILES} files at a time", "raise `ulimit -n`"
        ) from error
    finally:
        for descriptor in held:
            os.close(descriptor)


def _check_threads(count: int) -> None:
    # Not `threading`: what a thread of it allocates would reserve 64 MiB of addresses for each.
    gates: list[_thread.LockType] = []
    try:
        for _ in range(count):
            gate = _thread.allocate_lock()
            gate.acquire()
            _thread.start_new_thread(gate.acquire, ())
            gates.append(gate)
    except RuntimeError as error:
        raise StarvedError(
            f"this process may not start {count} threads",
            "raise `ulimit -u` and `ulimit -v`, or the container's limit on processes",
        ) from error
    finally:
        for gate in gates:
            gate.release()


def _cores() -> int:
    return len(os.sched_getaffinity(0))
