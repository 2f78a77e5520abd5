"""Whether requests go through a proxy that the environment names."""

import os

from connectomedb.config.profiles import Environment

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_UNPROXIED = ("no_proxy", "NO_PROXY")
_LOOPBACK = "127.0.0.1,localhost"


def is_proxied(environment: Environment | None = None) -> bool:
    """Whether the environment (this process's, unless given) names a proxy for any requests."""
    variables = os.environ if environment is None else environment
    return any(variables.get(name) or variables.get(name.upper()) for name in _PROXIES)


def spare_loopback(environment: Environment) -> dict[str, str]:
    """Variables to set so that this machine is asked directly although a proxy is named; none where none is."""
    if not is_proxied(environment):
        return {}
    spared = next((environment[name] for name in _UNPROXIED if environment.get(name)), "")
    value = f"{spared},{_LOOPBACK}" if spared else _LOOPBACK
    return dict.fromkeys(_UNPROXIED, value)
