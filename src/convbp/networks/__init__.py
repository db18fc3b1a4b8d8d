"""Networks of layers: their passes, their training, their gradient check, and the digits they learn."""
