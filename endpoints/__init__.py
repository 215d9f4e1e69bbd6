"""HTTP in, HTTP out. One module a route; what they share is in `receive`, `authenticate` and `answer`."""
