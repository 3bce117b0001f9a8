"""What the lifecycle hooks of an agent host do, in words that are no host's own.

Each module is one concern; ``entry`` is where the scripts in ``hooks/`` come in.
"""
