"""Addresses of streams: what may be relayed from, and what only pretends to be far away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.addresses import Wrong, is_public, why_not


@pytest.mark.parametrize(
    "url",
    [
        "https://str.vov.gov.vn/vov1",
        "http://stream.example.vn:8000/;stream.mp3?a=1&b=%20,x",
        "https://radio.example/live/playlist.m3u8",
        "http://radio.example",
        "http://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/x",
    ],
)
def test_a_public_address_may_be_relayed(url: str) -> None:
    assert why_not(url, private=False) is None


@pytest.mark.parametrize(
    "url",
    [
        *("", "vov1", "file:///etc/passwd", "rtmp://a.b/x", "ftp://a.b/", "HTTP://a.b/", "//a.b/x", "http:a.b"),
        *("http://", "http:///x", "http://u:p@a.b/", "http://a.b@c.d/", "http://a.b\\@c.d/", "http://a.b/\\x"),
        *(
            "http://a b.c/",
            "http://a.b/ x",
            "http://a.b/\r\nHost: c",
            "http://a.b/\0",
            "http://a.b/#x",
            "http://lạng.vn/",
        ),
        *("http://a.b:0/", "http://a.b:65536/", "http://a.b:x/", "http://[::1/", "http://a.b/" + "x" * 500),
    ],
)
@pytest.mark.parametrize("private", [False, True])
def test_what_two_readers_would_read_differently_is_no_address(url: str, private: bool) -> None:
    assert why_not(url, private) is Wrong.FORM


OWN = [
    *("http://localhost/", "http://a.localhost./", "http://nas.local:8000/x", "http://radio/", "http://a.internal/"),
    *("http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/"),
    *(
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.1.1:8000/x",
        "http://169.254.169.254/",
    ),
    *("http://100.64.0.1/", "http://192.0.2.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/"),
    *("http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fd00::1]/", "http://[ff02::1]/"),
    *("http://[::ffff:127.0.0.1]/", "http://[64:ff9b::10.0.0.1]/", "http://[2002:a00:1::]/", "http://1.2.3/"),
]


@pytest.mark.parametrize("url", OWN)
def test_this_machine_and_its_network_are_relayed_only_where_that_was_said(url: str) -> None:
    assert why_not(url, private=False) is Wrong.PRIVATE
    assert why_not(url, private=True) is None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_number_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0", "::ffff:10.1.2.3", "64:ff9b::a00:1", "x", ""])
def test_any_other_is_not(address: str) -> None:
    assert not is_public(address)


@given(st.text(max_size=60) | st.text("htps:/.@[]0127x\\%#? ", max_size=40).map("http://".__add__))
def test_any_text_is_judged_and_private_allows_only_more(text: str) -> None:
    if why_not(text, private=False) is None:
        assert why_not(text, private=True) is None
        assert "@" not in text.partition("//")[2].partition("/")[0]
