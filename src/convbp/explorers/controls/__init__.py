"""The controls of the explorers: sliders, choices and players, tied to the state they change."""
