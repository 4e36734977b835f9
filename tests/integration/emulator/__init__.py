"""The Google emulator, driven by the real client libraries."""
