"""LinkedIn: whose profiles are used, what a person does there by hand, and what a provider does for them."""
