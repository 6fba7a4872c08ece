"""The same commands sent to a real redis-server and to this package, every reply compared."""
