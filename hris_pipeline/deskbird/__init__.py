"""The edge to deskbird: its SCIM service read and written, each write journalled."""
