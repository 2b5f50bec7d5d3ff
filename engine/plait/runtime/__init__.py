"""Running a flow: what decides is pure, what acts is thin."""
