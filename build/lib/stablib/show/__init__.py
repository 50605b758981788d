"""Tables, figures and widgets."""
