"""Objects in S3 and in servers that speak its language: what plait's store and its users share."""
