"""What programs of others ask of this procedure over HTTP: an employer's directory, by SCIM 2.0."""
