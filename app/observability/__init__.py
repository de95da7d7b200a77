"""What is told of requests to the outside: metrics, log lines, traces."""
