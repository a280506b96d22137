"""The command line: flags in, words and exit codes out. Nothing heavy is imported before a command runs."""
