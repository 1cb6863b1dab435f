"""What is: frozen values, in the field's own words."""
