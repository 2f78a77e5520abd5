"""One worker of `operation.workers`: takes its order from stdin, and stops when stdin ends."""

import os
import pickle
import socket
import sys
import threading

from connectomedb.server.operation.logs import configure_logs
from connectomedb.server.operation.process import Server, stopped_by_signals
from connectomedb.server.operation.workers import READY, Order
from connectomedb.server.site import open_site


def main() -> None:
    """Serve until a signal, or until the parent is gone."""
    order: Order = pickle.load(sys.stdin.buffer)
    configure_logs(order.config.log)
    listener = socket.socket(fileno=order.listener)
    site = open_site(order.folder, settings=order.settings, config=order.config, config_file=order.config_file)
    server = Server(site, on_started=_say_ready)

    def stop_with_parent() -> None:
        while os.read(sys.stdin.fileno(), 1):  # not by its buffer, whose lock would abort the end of the process
            pass
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    with stopped_by_signals(server):
        server.run([listener])


def _say_ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
