"""Tests of the emulator's frame; they need none of the real functions."""
