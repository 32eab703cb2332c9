"""Refuses the network to every Python process that starts with this folder on its PYTHONPATH: tests, kernels, their children.

Python imports a module of this name at its start. Only this machine can be reached, which is what Jupyter's kernels need.
"""

import errno
import socket

LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None)


def refuse(host):
    raise OSError(errno.ENETUNREACH, f"the network is refused during tests, and {host!r} lies outside")


def guard(name):
    original = getattr(socket.socket, name)

    def guarded(self, address, *arguments):
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in LOCAL and not str(address[0]).startswith("127."):
            refuse(address[0])
        return original(self, address, *arguments)

    setattr(socket.socket, name, guarded)


def guarded_getaddrinfo(host, *arguments, **options):
    if host not in LOCAL and host != socket.gethostname() and not str(host).startswith("127."):
        refuse(host)
    return look_up(host, *arguments, **options)


guard("connect")
guard("connect_ex")
look_up = socket.getaddrinfo
socket.getaddrinfo = guarded_getaddrinfo
