"""Tests of the local emulator."""
