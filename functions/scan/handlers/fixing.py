"""How a drift is put right. Nothing is applied: people run what is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shared.data.rows import Row
from shared.http.call import Call
from shared.http.reply import Reply

from ..domain.regional import without_region
from ..fix_models import FixView, ImportView, RevertView
from ..queries import drift as queries
from ..queries import live as live_queries
from ..wiring import ScanDeps


def show_fix(call: Call, deps: ScanDeps) -> Reply:
    """Show the import block with configuration of an unmanaged resource, or what an apply would revert."""
    with deps.db.unit(call.actor) as tx:
        item = queries.get_open_item(tx, call.path_uuid("item_id"))
        place: dict[str, Any] = {"account_id": item["account_id"], "type_name": item["type"], "key": item["key"]}
        if item["kind"] == "unmanaged":
            live = live_queries.find_live(tx, **place)
            view = _import(item, live)
        else:
            view = _revert(item, queries.list_open_of_resource(tx, **place))
    return Reply.ok(view)


def _import(item: Row, live: Row | None) -> FixView:
    from ..fixing.importing import build_import  # the provider's schema is read for few calls only
    from ..types.import_rules import Source

    source = Source(
        key=without_region(item["key"], item["region"]),
        cloud_id=item["cloud_id"] or without_region(item["key"], item["region"]),
        attributes=live["attributes"] if live else {},
        tags=live["tags"] if live else {},
    )
    found = asdict(build_import(item["type"], source))
    if live is None:
        found |= {"configuration": None, "notes": ["The last scan did not store what runs: scan again."]}
    return FixView(item_id=item["id"], kind="import", importing=ImportView(**found), reverting=None)


def _revert(item: Row, items: list[Row]) -> FixView:
    from ..fixing.reverting import build_revert

    address = str(item["address"])
    same = [each for each in items if each["address"] == item["address"] and each["kind"] == item["kind"]]
    reverting = RevertView(**asdict(build_revert(address, same or [item])))
    return FixView(item_id=item["id"], kind="revert", importing=None, reverting=reverting)
