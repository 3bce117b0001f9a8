"""Executors: they perform effects on this machine, as child processes."""
