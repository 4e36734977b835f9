"""From a request to its answer: routes, access, caps, errors."""

import os

# no distribution hooks itself into validation; to look for some, pydantic would read the metadata of all that is installed
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
