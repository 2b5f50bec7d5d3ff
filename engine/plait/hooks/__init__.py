"""What a plugin may implement, when it is called and with what; and the registry that finds it."""
