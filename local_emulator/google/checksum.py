"""CRC32C (Castagnoli), the checksum of Google's data fields. Source: RFC 3720, appendix B.4."""

from __future__ import annotations

POLYNOMIAL = 0x82F63B78  # reversed


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(_entry(byte) for byte in range(256))


def crc32c(data: bytes) -> int:
    """Compute the CRC32C of `data` as an unsigned 32-bit number."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
