"""Numbers of bytes on the command line: `10MB`, `1.5GB`, `2GiB`."""

import click

from connectomedb.errors import ConfigError
from connectomedb.transfer.sizes import parse_size


class _Size(click.ParamType[int]):
    """A number of bytes."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_size(str(value))
        except ConfigError as fault:
            self.fail(str(fault), param, ctx)


class _PositiveSize(_Size):
    """A number of bytes that is not nothing."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        size = super().convert(value, param, ctx)
        if size <= 0:
            self.fail(f"{value!r} would let nothing pass.", param, ctx)
        return size


SIZE = _Size()
POSITIVE_SIZE = _PositiveSize()
