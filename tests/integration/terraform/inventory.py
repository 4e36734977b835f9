"""Write the inventory of the example environment anew: `python -m tests.integration.terraform.inventory`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.terraform import Applied, Copy, providers_kept, why_no_terraform


def main() -> int:
    """Plan the example environment and write down every address."""
    if reason := why_no_terraform():
        sys.stderr.write(f"{reason}\n")
        return 1
    with tempfile.TemporaryDirectory() as home, providers_kept() as told:
        addresses = Applied(Copy(Path(home), told)).addresses
    Path(__file__).with_name("inventory.txt").write_text("\n".join(addresses) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(addresses)} resources\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
