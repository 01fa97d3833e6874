"""Clients, projects, time, invoices, contracts and resumes of freelancers, as the Orbix clients expect them."""
