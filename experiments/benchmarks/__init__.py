"""What `benchmark.py` measures, by subject."""
