"""The metadata service: facts about runs over HTTP, for all who share them."""
