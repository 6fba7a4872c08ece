"""The commands of each family as strategies, and how a family's examples begin."""
