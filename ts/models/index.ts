// The namespace `models`.
