"""From bundles to images that may run: built and signed by CI alone."""
