"""The graph of services as a picture that the server draws."""
