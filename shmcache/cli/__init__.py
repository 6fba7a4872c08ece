"""The program ``shmcache-cli``: a redis-cli for a cache's daemon, and a look into its
arena without one.

Start with :mod:`.main` (what is run), then :mod:`.session` (one command and its reply),
:mod:`.resp` and :mod:`.formats` (bytes to replies, replies to text), :mod:`.lines` and
:mod:`.interactive` (many commands), :mod:`.keyspace`, :mod:`.gauges` and :mod:`.pipe` (the modes),
and :mod:`.arena_view`.
"""
