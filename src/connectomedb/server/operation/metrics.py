"""Numbers for Prometheus, added up over all worker processes.

| name                             | type      | labels                | what                                     |
|----------------------------------|-----------|-----------------------|------------------------------------------|
| `cdb_requests_total`             | counter   | route, method, status | requests that were answered              |
| `cdb_request_seconds`            | histogram | route                 | from the headers to the answer's last byte |
| `cdb_received_bytes_total`       | counter   | route                 | bytes of bodies received                 |
| `cdb_sent_bytes_total`           | counter   | route                 | bytes of bodies sent                     |
| `cdb_requests_under_way`         | gauge     |                       | requests that are being answered         |

Processes share their numbers by files in the folder that `PROMETHEUS_MULTIPROC_DIR` names, which
`operation.workers` makes; a process alone keeps them in memory.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The numbers of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        here = self._registry
        self._requests = Counter("cdb_requests", "Requests answered.", ["route", "method", "status"], registry=here)
        self._seconds = Histogram(
            "cdb_request_seconds", "From headers to the last byte.", ["route"], registry=here, buckets=_SECONDS
        )
        self._received = Counter("cdb_received_bytes", "Bytes of bodies received.", ["route"], registry=here)
        self._sent = Counter("cdb_sent_bytes", "Bytes of bodies sent.", ["route"], registry=here)
        self.under_way = Gauge("cdb_requests_under_way", "Being answered.", registry=here, multiprocess_mode="livesum")

    def count(self, route: str, method: str, status: int, seconds: float, received: int, sent: int) -> None:
        """Add one request."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        self._received.labels(route).inc(received)
        self._sent.labels(route).inc(sent)

    def format(self) -> bytes:
        """All numbers in Prometheus' text format."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped in the library
        return generate_latest(registry)
