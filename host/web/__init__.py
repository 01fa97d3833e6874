"""The HTTP rim: requests and answers as records, one pipeline for every door, and the operations of the registry."""
