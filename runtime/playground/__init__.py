"""The playground: a page on which a model is tried, with the server or with the model inside."""
