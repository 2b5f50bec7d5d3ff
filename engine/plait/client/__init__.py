"""Reading what runs left: flows, runs, steps, tasks and artifacts as objects."""
