"""Facts: which runs, tasks, attempts and tags there are, and when; a Protocol and its stores."""
