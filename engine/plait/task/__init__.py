"""One attempt at one task, in stages, in the task's own process."""
