"""The fault campaign: journeys go on steadily while faults are caused; afterwards everything that was promised must hold."""
