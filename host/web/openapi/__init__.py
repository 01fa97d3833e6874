"""The OpenAPI 3.1 document of an app, made from its operations when somebody asks for it, never at boot.

`web.documents` imports `building` on the first request: apispec and flask-smorest are loaded by nothing else.
"""
