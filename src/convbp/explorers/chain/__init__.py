"""What `ChainOfLayers` is made of: its state, its steps, the rule of each layer, and its picture."""
