"""The legacy system of the adoption tests: a real Django project over the data model of the investigation board."""
