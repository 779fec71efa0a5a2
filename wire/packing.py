"""Packing: an urgent document made small, so that it passes where little passes. Deflate with a dictionary; pure.

- Both sides know the dictionary: what nearly every urgent plan says is in it, so that mostly the words themselves
  travel. It never changes; another one would be another `SUFFIX`.
- What comes out is bounded before it is made: a small message cannot become a large one unseen.
"""

from __future__ import annotations

import zlib

from wire import codec

SUFFIX = "+deflate"  # behind the payload type of what is packed
MOST_BYTES = 4 * 1024 * 1024  # unpacked
_WINDOW = -15  # raw deflate (RFC 1951): no header, no checksum; the seal stands for both
_DICTIONARY = (
    '"},{"id":"b","asset":{"sha256":"","size_bytes":,"duration_ms":,"media_type":"audio/ogg","url":""},"drill":true,'
    "lũ lụt sạt lở cháy rừng bão mưa đá vỡ đập xả lũ di dời sơ tán bà con khẩn trương lên chỗ cao không qua suối ngầm "
    "Ủy ban nhân dân xã thông báo đề nghị nước dâng nhanh ngay lúc này "
    '"level":"province","level":"district","level":"central",'
    '{"area":"lang-son:","lane":"urgent","serial":17,"issued_at":"2026-12-01T00:00:00Z",'
    '"valid_until":"2026-12-01T00:00:00.000000Z","jobs":[{"id":"b","title":"Khẩn cấp: ","bulletin_class":"emergency",'
    '"level":"commune","start":"2026-12-01T00:00:00.000000Z","deadline":"2026-12-01T00:00:00.000000Z",'
    '"late":"until_expiry","after_cut":"restart","spoken":"'
).encode()


def pack(payload: bytes) -> bytes:
    """``payload`` made small; the same bytes always give the same on one version of zlib."""
    maker = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return maker.compress(payload) + maker.flush()


def unpack(packed: bytes) -> bytes:
    """What `pack` was given. Raises codec.Malformed for what is no such thing, codec.TooBig beyond `MOST_BYTES`."""
    reader = zlib.decompressobj(_WINDOW, _DICTIONARY)
    try:
        payload = reader.decompress(packed, MOST_BYTES + 1)
    except zlib.error as wrong:
        raise codec.Malformed(f"not packed: {wrong}"[:200]) from None
    if len(payload) > MOST_BYTES:
        raise codec.TooBig(len(payload), MOST_BYTES)
    if not reader.eof or reader.unused_data:
        raise codec.Malformed("not packed: it is cut, or something follows")
    return payload
