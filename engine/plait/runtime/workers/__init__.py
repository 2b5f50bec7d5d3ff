"""How a task's process is started, watched and ended."""
