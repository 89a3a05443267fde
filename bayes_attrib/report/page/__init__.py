"""Sections of the page about a run: one file each, which knows its numbers and their places."""
