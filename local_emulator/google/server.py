"""The process: builds the services over their files, serves them on loopback, and stops in order."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import grpc

from local_emulator.google.broker import Broker
from local_emulator.google.config import Config
from local_emulator.google.faults import Faults
from local_emulator.google.http_server import Documents, HttpServer
from local_emulator.google.issuer import Issuer
from local_emulator.google.kms import KeyManagementService
from local_emulator.google.objects import Objects
from local_emulator.google.pubsub import PublisherService, SubscriberService
from local_emulator.google.push import Poster
from local_emulator.google.rpc import service_handler
from local_emulator.google.secret_manager import SecretManagerService
from local_emulator.google.storage import (
    Database,
    Journal,
    Records,
    claim_directory,
    private_directory,
    write_atomically,
)

CALLS_AT_ONCE = 128  # a waiting pull or an open stream holds one
MOST_REQUEST_BYTES = 12 * 1024 * 1024
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Ports:
    """Where to listen; 0 takes a free port."""

    grpc: int
    http: int


class GoogleServer:
    """The running emulator."""

    def __init__(self, ports: Ports, data_dir: Path, config: Config) -> None:
        self._claim = claim_directory(private_directory(data_dir))
        self._http = HttpServer(ports.http)
        self._faults = Faults()
        self._issuer = issuer = Issuer(
            data_dir / "issuer.pem", config.issuer or self._http.url, served_at=self._http.url
        )
        names = ("kms", "secret_manager", "pubsub", "objects")
        self._databases = {name: Database(data_dir / f"{name}.sqlite3") for name in names}
        self._poster = Poster(issuer)
        pubsub = self._databases["pubsub"]
        self._broker = Broker(Records(pubsub), Journal(pubsub), self._poster, config.concurrency_of)
        services = {
            "google.cloud.kms.v1.KeyManagementService": KeyManagementService(Records(self._databases["kms"])),
            "google.cloud.secretmanager.v1.SecretManagerService": SecretManagerService(
                Records(self._databases["secret_manager"])
            ),
            "google.pubsub.v1.Publisher": PublisherService(self._broker),
            "google.pubsub.v1.Subscriber": SubscriberService(self._broker, config.minimum_ack_deadline_seconds),
        }
        self._grpc = grpc.server(
            ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="rpc"),
            handlers=[service_handler(name, servicer) for name, servicer in services.items()],
            interceptors=[self._faults],
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MOST_REQUEST_BYTES)],
        )
        self.grpc_port = self._grpc.add_insecure_port(f"127.0.0.1:{ports.grpc}")
        objects = Objects(Records(self._databases["objects"]), self._faults)
        self._http.documents = Documents(issuer, self._faults, config.sender, objects)

    def start(self, port_file: Path) -> None:
        """Serve, then write the ports as JSON: `{"grpc_port", "http_port", "issuer_url", "pid"}`."""
        self._grpc.start()
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        facts = {
            "grpc_port": self.grpc_port,
            "http_port": self._http.server_address[1],
            "issuer_url": self._issuer.url,
            "pid": os.getpid(),
        }
        write_atomically(port_file, json.dumps(facts).encode())

    def stop(self) -> None:
        """Take no more calls, let those under way end, close the files."""
        self._faults.release()
        ended = self._grpc.stop(GRACE_SECONDS)
        self._broker.close(GRACE_SECONDS)
        ended.wait(2 * GRACE_SECONDS)  # gRPC was seen to lose the end of a call that broke off: it then waits for ever
        self._http.shutdown()
        self._http.server_close()
        self._poster.close()
        for database in self._databases.values():
            database.close()
        self._claim.close()
