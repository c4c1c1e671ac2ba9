"""An application of Django's, for the client beside it."""
