"""The commands of the command line, by theme; ``zjsim.cli`` puts them together."""
