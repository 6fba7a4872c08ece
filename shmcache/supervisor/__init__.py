"""The daemon: makes or adopts the arena, listens, and keeps the processes that serve it running.

Reading order: ``main`` (the program), ``start`` (its steps), ``daemon`` (its loop), ``children``
(forking and talking to them), ``adoption`` (the arena), ``listeners`` and ``lock`` (sockets and who
may have them),
``maintenance`` (the housekeeping child), ``notify`` and ``log`` (telling others), ``lean``
(starting quickly).
"""
