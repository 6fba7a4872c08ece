"""One module a section; each has ``run(bench)``."""
