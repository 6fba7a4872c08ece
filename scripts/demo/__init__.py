"""The main job: gunicorn workers that share one cache in front of a product catalogue."""
