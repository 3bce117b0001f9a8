"""Runs: create, open, replay, record. Of storage they know little more than the journal's four calls."""
