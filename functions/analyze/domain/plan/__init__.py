"""Reading plans: what `terraform show -json` and `tofu show -json` write, to what rules judge."""

from .reader import read_plan as read_plan
