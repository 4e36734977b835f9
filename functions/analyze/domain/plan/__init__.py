"""Reading plans: what `terraform show -json` and `tofu show -json` write, to what rules judge."""

from .documents import MOST_BYTES as MOST_BYTES
from .documents import load_document as load_document
from .reader import read_plan as read_plan
