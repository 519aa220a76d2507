"""Pictures of one operation, laid out by the server: what is where, without any markup."""
