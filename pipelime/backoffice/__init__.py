"""The workspace: the account-scoped admin base on which every app's pages stand."""
