"""gunicorn's settings; those that an older gunicorn does not know are ignored by it."""

from __future__ import annotations

__all__ = ["control_socket_disable", "keepalive", "threads", "worker_class"]

worker_class = "gthread"
threads = 2
keepalive = 30
# newer versions would leave a socket in the user's home
control_socket_disable = True
