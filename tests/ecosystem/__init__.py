"""Programs written for Redis, run unchanged: first beside a redis-server, then on shmcache."""
