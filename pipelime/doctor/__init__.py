"""What `bin/manage doctor` looks at: every dependency and setting, each with one sentence."""
