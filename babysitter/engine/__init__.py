"""Replay: what an author sees, and how a process is driven against known results. No I/O."""
