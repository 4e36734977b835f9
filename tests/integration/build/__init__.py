"""Tests of the bundles: what is in them, that they are reproducible, that they start where nothing else is."""
