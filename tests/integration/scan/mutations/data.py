"""What can be changed behind Terraform's back in the `data` group."""

from __future__ import annotations

from functions.scan.types.aws import caches, catalogues, rds_clusters, stores
from tests.support.aws_account import Mutation

from . import data_catalogues, data_databases, data_stores

SPECS = (*rds_clusters.SPECS, *caches.SPECS, *stores.SPECS, *catalogues.SPECS)

MUTATIONS: tuple[Mutation, ...] = (*data_databases.MUTATIONS, *data_stores.MUTATIONS, *data_catalogues.MUTATIONS)

EXCEPTIONS: dict[str, str] = {**data_databases.EXCEPTIONS, **data_stores.EXCEPTIONS, **data_catalogues.EXCEPTIONS}
