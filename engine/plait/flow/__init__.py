"""What a user subclasses and decorates, and what a step's code meets at run time."""
