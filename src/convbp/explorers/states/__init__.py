"""The states of the explorers: what a reader sees and can change, and what each field may hold."""
