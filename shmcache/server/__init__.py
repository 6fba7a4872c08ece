"""The front-end: one process that serves an arena over sockets. Start reading at server.py."""
