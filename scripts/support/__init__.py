"""What the main job and the benchmark share: traces, processes, the terminal."""
