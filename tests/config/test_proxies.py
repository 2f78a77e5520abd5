"""This machine is asked directly, whatever proxy is named."""

import pytest

from connectomedb.config.proxies import is_proxied, spare_loopback


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_named_proxy_is_not_asked_for_this_machine(name: str) -> None:
    named = {name: "http://proxy.example.org:3128"}
    assert is_proxied(named)
    alone = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost")
    assert spare_loopback(named) == alone
    assert spare_loopback({**named, "no_proxy": ""}) == alone
    more = dict.fromkeys(("no_proxy", "NO_PROXY"), "lab.example.org,127.0.0.1,localhost")
    assert spare_loopback({**named, "NO_PROXY": "lab.example.org"}) == more


def test_without_a_proxy_nothing_is_to_be_spared() -> None:
    assert not is_proxied({"NO_PROXY": "lab.example.org", "HTTP_PROXY": ""})
    assert spare_loopback({"NO_PROXY": "lab.example.org", "HTTP_PROXY": ""}) == {}
