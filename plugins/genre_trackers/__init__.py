"""Trackers: where figures of a run are shown while it goes on."""
