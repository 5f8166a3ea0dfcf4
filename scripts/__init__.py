"""What an operator runs; each file without an ending is a command, `runtime/` is what they share."""
