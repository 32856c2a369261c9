//! Request validation from the service model.
