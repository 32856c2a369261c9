//! Pipeline executions: the definition, its graph and the run of its steps.
